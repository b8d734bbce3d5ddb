"""The service among faults, load and nonsense: real processes, real sockets, both layers."""

"""Processes that `make run` starts next to the service, one module each.

A module has two functions: `announce(url)`, which is called with the URL of the service before it
starts, and returns lines to print when it is ready, and `run()`. `dev.serve` finds every module in
this package, so a new module needs no registration.
"""

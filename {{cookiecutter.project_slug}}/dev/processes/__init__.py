"""Processes that `make run` starts next to the service, one module with a function `run` each.

`dev.serve` finds every module in this package, so a new module needs no registration.
"""

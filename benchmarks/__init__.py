"""The request path, measured: what a request costs in both layers, and in what they stand beside.

`make bench` runs it, `docs/performance.md` says what it compares and why that is fair.
"""

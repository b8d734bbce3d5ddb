"""Benchmark of the cost of a request in both database layers, compared with other services.

Run it with `make bench`. docs/performance.md describes the method and the metrics.
"""

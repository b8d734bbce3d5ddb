"""Resilience tests: generated services under faults, concurrency and load.

A session generates one project per layer and runs one PostgreSQL server for each; every test has
its own database. The scripts in `in_venv/` run in the virtual environment of a project.
"""

import os

#: More repetitions and examples, set by `make test-resilience` and `make fuzz`.
IS_LONG = os.environ.get("RESILIENCE_PROFILE") == "long"

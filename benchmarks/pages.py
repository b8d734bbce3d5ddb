"""Compare the first page of every list of articles with a page in the middle of many rows.

    python -m benchmarks.pages --rows 1000000 --layer databases

Both pages are read in turns, so the ratios are more reliable than the times.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

from benchmarks.environments import (
    LAYERS,
    exclusive_cache,
    prepare_project,
    project_environment,
    venv_python,
)


def main() -> None:
    """Parse the command line and measure the layers, one after the other."""
    parser = argparse.ArgumentParser(description="Compare the first page with one in the middle.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--layer", choices=LAYERS)
    options = parser.parse_args()
    with exclusive_cache(), tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        for layer in [options.layer] if options.layer else LAYERS:
            project = prepare_project(layer)
            print(f"{layer}, {options.rows} rows", flush=True)
            data = Path(folder, layer)
            subprocess.run(
                [venv_python(project), "-m", "time_pages", str(data), str(options.rows)],
                cwd=project,
                env=project_environment(),
                check=True,
            )


if __name__ == "__main__":
    main()

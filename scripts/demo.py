"""Generate a project in a temporary folder and run it with fake rows.

Starts the development server of the project, runs `make seed` as soon as it is ready, and forwards
its output. Ctrl-C stops the server and removes the folder.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parent.parent
PROMPTS = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
LAYERS = PROMPTS["database_layer"]

HINTS = """
Try {url}/docs in a browser, or in another terminal:
    curl {url}/api/v1/articles
    API_KEY={api_key}
    curl {url}/api/v1/articles -H "Authorization: Bearer $API_KEY" \\
        -H 'Content-Type: application/json' \\
        -d '{{"title": "Mine", "slug": "mine", "text": "Some text."}}'
    curl -X POST {url}/api/v1/coupons/{coupon}/redemptions -H "Authorization: Bearer $API_KEY"
    curl {url}/readyz
{login}
Ctrl-C stops the server and removes the project.
"""


def seed(project: Path, url: str) -> dict[str, str]:
    """Insert fake rows, and return values of the hints: a login, an API key, the ID of a coupon."""
    done = subprocess.run(
        [os.environ.get("UV", "uv"), "run", "python", "-m", "dev.seed"],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    # Without a proxy.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/api/v1/coupons?limit=1", timeout=10) as response:
        coupon = json.load(response)[0]["id"]
    lines = done.stdout.splitlines()
    login = next(line for line in lines if line.startswith("Log in"))
    api_key = next(line.split()[-1] for line in lines if line.startswith("API key: "))
    return {"login": login, "api_key": api_key, "coupon": coupon}


def bake(layer: str, folder: Path) -> Path:
    """Generate a project with the example and users, regardless of the user configuration."""
    config = folder / "cookiecutter.yaml"
    config.write_text(json.dumps({"replay_dir": str(folder / "replay")}), "utf-8")
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"]
    options = ["--config-file", str(config), "--output-dir", str(folder / "output")]
    values = [f"database_layer={layer}", "example=true", "auth=true"]
    # This interpreter: with another version, uv would replace the environment of the running
    # project as soon as another terminal runs a command in it.
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if version in PROMPTS["python_version"]:
        values.append(f"python_version={version}")
    subprocess.run(
        [*command, *options, *values],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return next((folder / "output").iterdir())


def is_inherited(variable: str) -> bool:
    """Return whether the project inherits a variable: not those of another venv or database."""
    return variable not in {"VIRTUAL_ENV", "DATABASE_URL"} and not variable.startswith("POSTGRES_")


def environment() -> dict[str, str]:
    """Return the environment of the project. It selects this interpreter: uv downloads none."""
    kept = {name: value for name, value in os.environ.items() if is_inherited(name)}
    return {"UV_PYTHON": sys.executable, **kept}


def forward(project: Path, output: Iterable[str]) -> None:
    """Print the output of the server. Inserts the fake rows before its URL is printed."""
    hints = ""
    for line in output:
        if line.startswith("Ready: ") and not hints:
            url = line.split()[1]
            hints = HINTS.format(url=url, **seed(project, url))
        print(line, end="", flush=True)
        # The server prints this line last.
        if line.startswith("Docs: "):
            print(hints, end="", flush=True)


def serve(project: Path) -> int:
    """Run the project until a signal arrives, and return its exit status."""
    server = subprocess.Popen(
        [os.environ.get("UV", "uv"), "run", "python", "-m", "dev.serve"],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    output: Iterable[str] = server.stdout or []
    try:
        forward(project, output)
    except KeyboardInterrupt:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        # Ctrl-C has already reached the server, SIGTERM has not. Sending both is harmless.
        server.terminate()
        print(*output, sep="", end="", flush=True)
        server.wait()
    return server.returncode


def main() -> int:
    """Return the exit status of the server, which is 0 after Ctrl-C."""
    parser = argparse.ArgumentParser(description="Generate a project and run it.")
    parser.add_argument(
        "layer", choices=LAYERS, nargs="?", default=LAYERS[0], metavar="DATABASE_LAYER"
    )
    layer = parser.parse_args().layer
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"Generating a project ({layer}) and starting it ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="demo-", ignore_cleanup_errors=True) as folder:
        # Temporary files of cookiecutter and uv are removed with the folder.
        os.environ["TMPDIR"] = folder
        return serve(bake(layer, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())

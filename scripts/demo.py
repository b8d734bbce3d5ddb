"""Generate a project in a temporary folder and run it with sample data.

Starts the development server of the project, creates the samples over HTTP as soon as it is ready,
and forwards its output. Ctrl-C stops the server and removes the folder.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parent.parent
LAYERS = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))["database_layer"]

ARTICLES = [
    {"title": "Hello", "slug": "hello", "text": "The first article of this service."},
    {"title": "Keyset pages", "slug": "keyset-pages", "text": "They stay fast on page 10000."},
    {"title": "Full-text search", "slug": "full-text-search", "text": "Try ?q=fast on the list."},
]
COUPON = {"code": "WELCOME", "init_count": 3}

HINTS = """
Try {url}/docs in a browser, or in another terminal:
    curl {url}/api/v1/articles
    curl {url}/api/v1/articles -H 'Content-Type: application/json' \\
        -d '{{"title": "Mine", "slug": "mine", "text": "Some text."}}'
    curl -X POST {url}/api/v1/coupons/{coupon}/redemptions
    curl {url}/readyz
Ctrl-C stops the server and removes the project.
"""


def post(url: str, body: Mapping[str, object]) -> dict[str, object]:
    """Send `body` as JSON, without a proxy, and return the response."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with opener.open(request, timeout=10) as response:
        created: dict[str, object] = json.load(response)
        return created


def create_samples(url: str) -> str:
    """Create sample articles and a coupon, and return the ID of the coupon."""
    for article in ARTICLES:
        post(f"{url}/api/v1/articles", article)
    return str(post(f"{url}/api/v1/coupons", COUPON)["id"])


def bake(layer: str, folder: Path) -> Path:
    """Generate a project with the example and users, regardless of the user configuration."""
    config = folder / "cookiecutter.yaml"
    config.write_text(json.dumps({"replay_dir": str(folder / "replay")}), "utf-8")
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"]
    options = ["--config-file", str(config), "--output-dir", str(folder / "output")]
    subprocess.run(
        [*command, *options, f"database_layer={layer}", "example=true", "auth=true"],
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


def forward(output: Iterable[str]) -> None:
    """Print the output of the server. Creates the samples before its URL is printed."""
    hints = ""
    for line in output:
        if line.startswith("Ready: ") and not hints:
            url = line.split()[1]
            hints = HINTS.format(url=url, coupon=create_samples(url))
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
        forward(output)
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

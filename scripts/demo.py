"""Make a project in a temporary folder, run it and give it something to show.

The project's own development server does the work; this waits for its address, adds sample
rows over HTTP, and passes on its output. Ctrl-C ends both and removes the folder.
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
Try {address}/docs in a browser, or in another terminal:
    curl {address}/api/v1/articles
    curl {address}/api/v1/articles -H 'Content-Type: application/json' \\
        -d '{{"title": "Mine", "slug": "mine", "text": "Some text."}}'
    curl -X POST {address}/api/v1/coupons/{coupon}/redemptions
    curl {address}/readyz
Ctrl-C stops it and removes everything.
"""


def post(url: str, body: Mapping[str, object]) -> dict[str, object]:
    """Send `body` as JSON, past any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with opener.open(request, timeout=10) as response:
        created: dict[str, object] = json.load(response)
        return created


def add_samples(address: str) -> str:
    """Create the sample rows and return the id of the coupon."""
    for article in ARTICLES:
        post(f"{address}/api/v1/articles", article)
    return str(post(f"{address}/api/v1/coupons", COUPON)["id"])


def bake(layer: str, folder: Path) -> Path:
    """Make a project with the default answers, whatever this person's own defaults are."""
    config = folder / "cookiecutter.yaml"
    config.write_text(json.dumps({"replay_dir": str(folder / "replay")}), "utf-8")
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input"]
    options = ["--config-file", str(config), "--output-dir", str(folder / "output")]
    subprocess.run(
        [*command, *options, f"database_layer={layer}"], check=True, stdout=subprocess.DEVNULL
    )
    return next((folder / "output").iterdir())


def is_for_the_project(variable: str) -> bool:
    """All but this tool's own environment, and any database: the demo brings its own."""
    return variable not in {"VIRTUAL_ENV", "DATABASE_URL"} and not variable.startswith("POSTGRES_")


def environment() -> dict[str, str]:
    """The environment of the project; on the Python that runs this, so that none is downloaded."""
    kept = {name: value for name, value in os.environ.items() if is_for_the_project(name)}
    return {"UV_PYTHON": sys.executable, **kept}


def follow(output: Iterable[str]) -> None:
    """Pass on what the server says, with the sample rows in place before its address."""
    hints = ""
    for line in output:
        if line.startswith("Ready: "):
            address = line.split()[1]
            hints = HINTS.format(address=address, coupon=add_samples(address))
            print(line, end="", flush=True)
        else:
            print(line, hints, sep="", end="", flush=True)
            hints = ""


def serve(project: Path) -> int:
    """Run the project until it is told to stop, and return its exit status."""
    server = subprocess.Popen(
        [os.environ.get("UV", "uv"), "run", "python", "-m", "dev.serve"],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    output: Iterable[str] = server.stdout or []
    try:
        follow(output)
    except KeyboardInterrupt:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        # Ctrl-C has reached the server already, a SIGTERM has not; both together do no harm.
        server.terminate()
        print(*output, sep="", end="", flush=True)
        server.wait()
    return server.returncode


def main() -> int:
    """Exit status: that of the server, so 0 after Ctrl-C."""
    parser = argparse.ArgumentParser(description="Make a project and run it.")
    parser.add_argument("layer", choices=LAYERS, metavar="DATABASE_LAYER")
    layer = parser.parse_args().layer
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"Making a project ({layer}) and starting it ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="demo-", ignore_cleanup_errors=True) as folder:
        # Cookiecutter and uv leave temporary files behind: these go with the folder.
        os.environ["TMPDIR"] = folder
        return serve(bake(layer, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())

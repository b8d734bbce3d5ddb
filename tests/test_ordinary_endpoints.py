"""The tests of a project accept routes unlike those of the examples, and explain their rules."""

import re
from pathlib import Path

import pytest
from conftest import Bake, Project
from matrix import ONE_LAYER

pytestmark = pytest.mark.slow

ROUTES = Path(__file__).with_name("in_venv") / "ordinary_routes.py"
TESTS = ("uv", "run", "pytest", "--quiet", "tests/test_openapi.py", "tests/test_conventions.py")

# Each: a line of the routes, another one that breaks a rule, and the message about the rule.
BROKEN_RULES = [
    ('examples=["Income"]', "", "create_report: parts: title has no example.+ add `examples="),
    ("async def get_source", "def get_source", "get_source must be an `async def`"),
    ('"""Get the version of the reports."""', "", "write the docstring of `get_version`"),
    (
        "async def get_version() -> Report",
        "async def get_version() -> dict[str, str]",
        "`get_version` must have a Pydantic model as its return type",
    ),
]


def add_routes(project: Project, text: str) -> None:
    (project.path / "app" / "api" / "routes" / "reports.py").write_text(text, "utf-8")


@pytest.mark.parametrize("layer", ONE_LAYER)
def test_ordinary_routes_pass_the_checks_of_a_project(layer: str, bake: Bake) -> None:
    project = bake(database_layer=layer)
    add_routes(project, ROUTES.read_text("utf-8"))

    project.run("make", "lint")
    report = project.run(*TESTS, "-k", "report or version or export or logo or source or chat")

    assert re.search(r"^\d+ passed", report.stdout, re.MULTILINE), report.stdout


def test_failures_explain_the_rule(bake: Bake) -> None:
    project = bake()
    text = ROUTES.read_text("utf-8")
    for before, after, _ in BROKEN_RULES:
        assert before in text
        text = text.replace(before, after)
    add_routes(project, text)

    report = project.try_to_run(*TESTS, "-k", "report or version or source").stdout

    for _, _, message in BROKEN_RULES:
        assert re.search(message, report), f"{message}\n{report}"

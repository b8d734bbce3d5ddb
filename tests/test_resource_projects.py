"""Generated resources pass lint, their migrations and their own tests, on both layers."""

import re

import pytest
from conftest import LAYERS, Bake
from resource_projects import SPECIFICATIONS, generate
from shared_environment import install

pytestmark = pytest.mark.slow

TESTS = ["tests/test_conventions.py", "tests/test_migrations.py", "tests/test_openapi.py"]
#: The others run nightly.
ALWAYS = {("types", LAYERS[0]), ("owned", LAYERS[-1])}
PROJECTS = [
    pytest.param(name, layer, marks=() if (name, layer) in ALWAYS else pytest.mark.options)
    for name in SPECIFICATIONS
    for layer in LAYERS
]


@pytest.mark.parametrize(("name", "layer"), PROJECTS)
def test_generated_resources_pass_lint_and_tests(name: str, layer: str, bake: Bake) -> None:
    context, commands = SPECIFICATIONS[name]
    project = bake(**context, database_layer=layer)
    install(project)
    before = project.files()

    generated = [file for command in commands for file in generate(project, command)]

    written = {file for file in project.files() - before if not file.startswith(".data/")}
    assert written == {*generated}
    assert len(generated) == 6 * len(commands)
    project.run("make", "lint")
    tests = [file for file in generated if file.startswith("tests/")]
    report = project.run("uv", "run", "pytest", "--numprocesses", "2", *TESTS, *tests).stdout
    assert re.search(r"^=+ \d+ passed in ", report, re.MULTILINE), report

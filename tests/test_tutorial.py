"""docs/add-a-resource.md works when its steps are followed to the letter."""

import re
import shlex

import pytest
from conftest import LAYERS, Bake, Project
from shared_environment import install

pytestmark = pytest.mark.slow

# A step is a file with its content, or a block of commands.
STEP = re.compile(
    r"`(?P<file>[\w/]+\.py)`:\n\n```python\n(?P<text>.*?)^```$|```console\n(?P<commands>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def follow(project: Project, document: str) -> list[str]:
    """Write the files and run the commands of `document`; return the output of each command."""
    outputs = []
    for step in STEP.finditer(document):
        if step["file"]:
            file = project.path / step["file"]
            assert file.parent.is_dir()
            file.write_text(step["text"], "utf-8")
        else:
            commands = [line.removeprefix("$ ") for line in step["commands"].splitlines()]
            outputs += [project.run(*shlex.split(command)).stdout for command in commands]
    return outputs


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("is_full", [False, pytest.param(True, marks=pytest.mark.options)])
def test_tutorial_adds_a_resource_that_passes_lint_and_tests(
    layer: str, is_full: bool, bake: Bake
) -> None:
    project = bake(database_layer=layer, example=is_full, auth=is_full)
    install(project)
    document = project.read("docs/add-a-resource.md")
    steps = re.findall(r"^## \d\. (\w+)$", document, re.MULTILINE)
    assert steps == ["Schemas", "Model", "Migration", "Repository", "Routes", "Tests", "Check"]
    before = project.files()

    *_, lint, test = follow(project, document)

    new = {name for name in project.files() - before if not name.startswith(".data/")}
    # One file for each Python block, and the migration that a command generates.
    assert len(new) == document.count("```python") + 1
    assert "All checks passed!" in lint
    assert re.search(r"^=+ \d+ passed in ", test, re.MULTILINE), test

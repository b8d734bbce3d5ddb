"""What a project's documents tell people to do works when it is done to the letter."""

import re
import shlex

import pytest
from conftest import LAYERS, Bake, Project

pytestmark = pytest.mark.slow

# A file and what is in it, or commands.
STEP = re.compile(
    r"`(?P<file>[\w/]+\.py)`:\n\n```python\n(?P<text>.*?)^```$|```console\n(?P<commands>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def follow(project: Project, document: str) -> list[str]:
    """Do what `document` says; what each command printed."""
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


@pytest.mark.parametrize(("layer", "example"), [*zip(LAYERS, [True, False], strict=True)])
def test_a_resource_is_added_in_at_most_ten_steps(layer: str, example: bool, bake: Bake) -> None:
    project = bake(database_layer=layer, example=example, auth=example)
    document = project.read("docs/add-a-resource.md")
    assert 5 <= len(re.findall(r"^## \d", document, re.MULTILINE)) <= 10
    before = project.files()

    *_, lint, test = follow(project, document)

    new = {name for name in project.files() - before if not name.startswith(".data/")}
    # The migration is written by a command.
    assert len(new) == document.count("```python") + 1
    assert "All checks passed!" in lint
    assert re.search(r"^=+ \d+ passed in ", test, re.MULTILINE), test

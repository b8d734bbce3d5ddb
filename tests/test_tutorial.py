"""docs/add-a-resource.md works when its steps are followed to the letter."""

import re

import pytest
from conftest import ALL_PASSED, LAYERS, Bake
from guides import follow
from shared_environment import install
from test_generated_projects import TRICKY_CONTEXT

pytestmark = pytest.mark.slow

STEPS = ["Generate", "Schemas", "Model", "Migration", "Repository", "Routes", "Tests", "Check"]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("is_full", [False, pytest.param(True, marks=pytest.mark.options)])
def test_tutorial_adds_a_resource_that_passes_lint_and_tests(
    layer: str, is_full: bool, bake: Bake
) -> None:
    # The smallest project also has text that is difficult to quote.
    tricky = {} if is_full else TRICKY_CONTEXT
    project = bake(**tricky, database_layer=layer, example=is_full, auth=is_full)
    install(project)
    document = project.read("docs/add-a-resource.md")
    steps = re.findall(r"^## \d\. (\w+)$", document, re.MULTILINE)
    assert steps == STEPS
    before = project.files()

    # `make test` runs the whole tests of the smallest project with one layer.
    *_, lint, test = follow(project, document, test_all=is_full or layer == LAYERS[-1])

    new = {name for name in project.files() - before if not name.startswith(".data/")}
    # One file for each Python block, which is the same text, and the migration.
    assert len(new) == document.count("```python") + 1
    assert "All checks passed!" in lint
    assert ALL_PASSED.search(test), test

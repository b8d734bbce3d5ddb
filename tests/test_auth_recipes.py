"""The recipes of docs/auth-recipes.md work when they are followed to the letter."""

import re

import pytest
from choices import skip_without_choices
from conftest import ALL_PASSED, LAYERS, Bake
from guides import follow
from shared_environment import install


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("is_full", [False, pytest.param(True, marks=pytest.mark.options)])
def test_recipes_pass_lint_and_tests(layer: str, is_full: bool, bake: Bake) -> None:
    skip_without_choices({"auth": True})
    project = bake(database_layer=layer, example=is_full, auth=True, jobs=is_full)
    install(project)
    before = project.files()
    document = project.read("docs/auth-recipes.md")

    *_, lint, test = follow(project, document, test_all=is_full)

    new = {name for name in project.files() - before if not name.startswith(".data/")}
    # One file for each Python block, and the migration that a command generates.
    assert len(new) == document.count("```python") + 1
    assert "All checks passed!" in lint
    assert ALL_PASSED.search(test), test


@pytest.mark.parametrize("layer", LAYERS)
def test_recipes_are_listed_in_order(layer: str, bake: Bake) -> None:
    skip_without_choices({"auth": True})
    document = bake(database_layer=layer, auth=True).read("docs/auth-recipes.md")
    recipes = re.findall(r"^## (.+)$", document, re.MULTILINE)
    assert re.findall(r"^- \[(.+)\]\(#", document, re.MULTILINE) == recipes[:-1]
    assert recipes[-1] == "Check"
    assert ("Administration pages" in recipes) == (layer == "async-session")

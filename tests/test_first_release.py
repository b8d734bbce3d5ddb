"""A project of version 0.1.0, the first release, can be updated to this version."""

from pathlib import Path

import pytest
from conftest import LAYERS
from cruft_projects import CONTEXT, create, differing_files, update
from git_repo import GitRepo, copy_history

pytestmark = pytest.mark.slow

#: Version 0.1.0.
RELEASED = "aa34f5963adba1a1fe8fb18f2d70b80138181232"


@pytest.fixture
def template(tmp_path: Path) -> GitRepo:
    """Return a copy of this repository; skip the test if it does not contain the release."""
    template = copy_history(tmp_path / "template")
    if not template.git("cat-file", "-t", RELEASED, may_fail=True):
        pytest.skip(f"this clone does not contain the commit of version 0.1.0, {RELEASED[:7]}")
    return template


@pytest.mark.parametrize("layer", LAYERS)
def test_untouched_project_becomes_identical_to_a_new_one(
    layer: str, template: GitRepo, tmp_path: Path
) -> None:
    context = CONTEXT | {"database_layer": layer, "kubernetes": True}
    project = create(tmp_path / "mine", template, RELEASED, context)

    update(project)

    assert project.conflicts() == set()
    fresh = create(tmp_path / "fresh", template, "main", context)
    assert differing_files(project, fresh) == set()

"""A generated resource can be removed, unless something is in the way; a dry run writes nothing."""

import pytest
from conftest import LAYERS, Bake, Project
from resource_projects import commit_all, generate
from shared_environment import install

pytestmark = pytest.mark.slow

TAG = "tag name:str:30:unique"


@pytest.fixture
def project(bake: Bake) -> Project:
    """Return a project in a git repository."""
    project = bake(database_layer=LAYERS[0], auth=False)
    install(project)
    commit_all(project)
    return project


def contents(project: Project) -> dict[str, bytes]:
    """Return the files of a project, except the development database."""
    names = {name for name in project.files() if not name.startswith((".data/", ".git/"))}
    return {name: (project.path / name).read_bytes() for name in names}


def undo(project: Project) -> str:
    """Try to remove the tags, and return the output."""
    command = ("uv", "run", "--quiet", "python", "-m", "dev.resource", "tag", "--undo")
    return project.try_to_run(*command).stdout


def test_dry_run_writes_nothing(project: Project) -> None:
    before = project.files()
    command = ("uv", "run", "--quiet", "python", "-m", "dev.resource", "tag", "name:str:30")

    printed = project.run(*command, "--dry-run").stdout

    assert "class TagCreate(RequestBody):" in printed
    assert project.files() == before


def test_rejected_specification_names_every_mistake_and_writes_nothing(project: Project) -> None:
    before = project.files()
    command = ("uv", "run", "--quiet", "python", "-m", "dev.resource", "article")

    done = project.try_to_run(*command, "title", "id:int", "a:str:20:uniqe", "--owned")

    assert done.returncode == 1
    for problem in ("articles: in use", "title: unknown", "id: the name", "a: unknown", "--owned"):
        assert f"\n{problem}" in f"\n{done.stdout}"
    assert project.files() == before


def test_changed_model_without_migration_is_rejected(project: Project) -> None:
    model = project.path / "app" / "db" / "models" / "coupons.py"
    model.write_text(model.read_text("utf-8").replace("String(64)", "String(65)"), "utf-8")
    before = contents(project)

    done = project.try_to_run("make", "resource", "name=tag", "fields=name:str:30")

    assert done.returncode != 0
    assert "New upgrade operations detected" in done.stdout
    assert "Traceback" not in done.stdout
    assert contents(project) == before


def test_undo_restores_the_tree_and_the_database(project: Project) -> None:
    before = contents(project)
    project.run("make", "migrate")
    names = generate(project, TAG)
    project.run("make", "migrate")
    commit_all(project)

    removed = undo(project)

    assert contents(project) == before
    assert all(name in removed for name in names)
    # The database is at the last revision that still has a file.
    assert "(head)" in project.run("uv", "run", "python", "-m", "dev.alembic", "current").stdout


def test_undo_changes_nothing_if_something_is_in_the_way(project: Project) -> None:
    [_, model, *_] = names = generate(project, TAG)
    commit_all(project)
    with (project.path / model).open("a", encoding="utf-8") as file:
        file.write("\n# Ours.\n")
    generate(project, "label tag:ref:tags")
    before = contents(project)

    output = undo(project)

    assert f"{model} has changed since it was added" in output
    assert "another migration follows" in output
    assert contents(project) == before
    assert not any(f"{name} has changed" in output for name in names if name != model)


def test_interrupted_run_is_named_and_can_be_undone(project: Project) -> None:
    before = contents(project)
    [first, *others] = generate(project, TAG)
    for name in others:
        (project.path / name).unlink()
    journal = project.path / ".data" / "resource" / "journal.txt"
    journal.parent.mkdir()
    journal.write_text("\n".join([first, *others]), "utf-8")

    refused = project.try_to_run("make", "resource", "name=label", "fields=name:str:30")

    assert refused.returncode != 0
    assert all(name in refused.stdout for name in [first, *others])
    undo(project)
    assert contents(project) == before
    generate(project, TAG)

"""Generated tests fail if a module of a resource has a bug."""

import pytest
from conftest import LAYERS, Bake, Project
from resource_mutations import COMMANDS, MUTATIONS, translate
from resource_projects import generate
from shared_environment import install

MIGRATION_TESTS = "tests/test_migrations.py"


def is_noticed(project: Project, tests: list[str]) -> bool:
    """Return whether a test fails. Fail if it is an error that prevents tests from running."""
    command = ("uv", "run", "pytest", "--quiet", "--tb=no", "-p", "no:cacheprovider")
    done = project.try_to_run(*command, *tests)
    summary = done.stdout.splitlines()[-1]
    assert done.returncode == ("failed" in summary), done.stdout
    return done.returncode == 1


@pytest.mark.slow
@pytest.mark.options
@pytest.mark.parametrize("folder", MUTATIONS)
@pytest.mark.parametrize("layer", LAYERS)
def test_generated_tests_fail_with_each_bug(layer: str, folder: str, bake: Bake) -> None:
    project = bake(auth=True, example=True, database_layer=layer)
    install(project)
    *_, names = [generate(project, command) for command in COMMANDS]
    [path] = [project.path / name for name in names if name.startswith(folder)]
    tests = [name for name in names if name.startswith("tests/test_")]
    # A difference between a model and its migration needs no test of the resource.
    tests += [MIGRATION_TESTS] if folder == "app/db/models/" else []
    text = path.read_text("utf-8")
    assert not is_noticed(project, tests)

    unnoticed = []
    for bug, replacement in MUTATIONS[folder].items():
        old, new = (translate(part, layer) for part in replacement)
        assert old in text, f"{bug}: {path.name} does not contain {old!r}"
        path.write_text(text.replace(old, new, 1), "utf-8")
        if not is_noticed(project, tests):
            unnoticed.append(bug)

    assert not unnoticed


def test_each_module_has_ten_bugs() -> None:
    assert min(map(len, MUTATIONS.values())) >= 10

"""The same values generate the same bytes on every machine."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from conftest import LAYERS, NEEDED, SOURCES, TEMPLATE, Project, list_files
from cookiecutter_cli import cookiecutter
from generation import generate
from matrix import all_files

WINDOWS_DEVICE = re.compile(r"(aux|con|nul|prn|com\d|lpt\d)(\..*)?", re.IGNORECASE)
ARGUMENTS = ("project_name=Überall 1", "kubernetes=true")


def tree_hash(project: Project) -> str:
    """Return a hash of the names, contents and executable bits of all files."""
    digest = hashlib.sha256()
    for name in sorted(project.files()):
        path = project.path / name
        is_executable = bool(path.stat().st_mode & 0o111)
        digest.update(f"{name} {is_executable} ".encode() + path.read_bytes())
    return digest.hexdigest()


def copy_backwards(folder: Path) -> Path:
    """Copy the template without git, in reverse order and readable only by its owner."""
    copy = folder / "elsewhere" / "renamed"
    for top in (*NEEDED, SOURCES.name):
        source = TEMPLATE / top
        names = list_files(source) if source.is_dir() else {""}
        for name in sorted(names, reverse=True):
            target = copy / top / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target)
            target.chmod(0o600)
    return copy


def search_path_without(program: str) -> str:
    """Return PATH without the folders that contain `program`."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not Path(folder, program).exists())


def test_output_does_not_depend_on_the_machine(tmp_path: Path) -> None:
    variables = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "1", "HOME": str(tmp_path)}
    first, second = tmp_path / "first", tmp_path / "a second place"
    for folder in (first, second):
        folder.mkdir()

    one = cookiecutter(first, *ARGUMENTS, variables={"TZ": "UTC", "LC_ALL": "C.UTF-8"}, umask=0o022)
    two = cookiecutter(
        second,
        *ARGUMENTS,
        variables={**variables, "PATH": search_path_without("git")},
        template=copy_backwards(tmp_path),
        umask=0o077,
    )

    assert (one.returncode, two.returncode) == (0, 0), one.stderr + two.stderr
    assert tree_hash(Project(first / "work")) == tree_hash(Project(second / "work"))
    assert Project(first / "work").files()


@pytest.mark.parametrize("layer", LAYERS)
def test_generation_in_this_process_is_the_same(layer: str, tmp_path: Path) -> None:
    context = {"database_layer": layer, "auth": False, "kubernetes": True}

    done = cookiecutter(tmp_path, *(f"{name}={value}" for name, value in context.items()))

    assert done.returncode == 0, done.stderr
    real = Project(tmp_path / "work" / "my-service")
    assert tree_hash(real) == tree_hash(Project(generate(tmp_path / "here", context)))


def test_tree_hash_depends_on_contents_names_and_executable_bits(tmp_path: Path) -> None:
    def hashes() -> Iterator[str]:
        file = tmp_path / "a"
        file.write_text("1", "utf-8")
        yield tree_hash(Project(tmp_path))
        file.write_text("2", "utf-8")
        yield tree_hash(Project(tmp_path))
        file.chmod(0o755)
        yield tree_hash(Project(tmp_path))
        file.rename(tmp_path / "b")
        yield tree_hash(Project(tmp_path))

    assert len(set(hashes())) == (3 if os.name == "nt" else 4)


@pytest.mark.parametrize("layer", LAYERS)
def test_file_names_are_short_and_valid_on_windows(layer: str) -> None:
    names = all_files(layer)

    for name in names:
        assert len(name) <= 80, name
        for part in PurePosixPath(name).parts:
            assert not WINDOWS_DEVICE.fullmatch(part), name
            assert re.fullmatch(r"[\w.-]*[\w-]", part, re.ASCII), name
    assert len({name.lower() for name in names}) == len(names)

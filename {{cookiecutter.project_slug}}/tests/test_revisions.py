"""Any message can be the docstring of a new revision file."""

import ast
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from app.db.revisions import MIGRATIONS
from dev.alembic import with_revision_id
from dev.revisions import next_revision_id
from tests.databases import CONFIG

MESSAGES = [
    "add tags",
    "",
    " ",
    'rename "slug"',
    "it's",
    '"""',
    "'''\"\"\"",
    "back\\slash",
    "two\nlines\r\nand a\ttab",
    "cost $5 `id` ${x} % {} <%! 1/0 %> ## # noqa",
    "café 日本語 😀 don’t",  # noqa: RUF001 - as word processors write it
    "\u202etfel\u2028\ufeff\x00\x1b\x85",
    "not UTF-8: \udce9",
    "long " * 40,
    *map("".join, product("\"'\\\n$", repeat=2)),
]


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text("utf-8")), clean=False) or ""


def test_message_becomes_docstring_of_revision(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    template = (MIGRATIONS / "script.py.mako").read_text("utf-8")
    (folder / "script.py.mako").write_text(template, "utf-8")
    # File names do not contain the message, because some locales cannot encode it.
    history = ScriptDirectory(folder, file_template="%(rev)s")
    paths = []
    # Python source cannot contain lone surrogates, so they are escaped.
    docstrings = [text.encode("utf-8", "backslashreplace").decode() for text in MESSAGES]
    for number, message in enumerate(MESSAGES):
        script = history.generate_revision(f"r{number}", message, head="base", splice=True)
        assert script is not None
        paths.append(Path(script.path))
        assert docstring(paths[-1]) == docstrings[number]
    assert paths[0].read_text("utf-8").startswith('"""add tags"""\n')

    # The commands of `make format` and `make lint` succeed and keep the docstrings.
    for command in ["check", "--fix-only"], ["format"], ["check"]:
        subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--quiet", "--no-cache", f"--config={CONFIG}"],
            cwd=tmp_path,
            check=True,
        )
    assert [docstring(path).strip() for path in paths] == [text.strip() for text in docstrings]


@pytest.mark.parametrize(
    ("names", "message", "expected"),
    [
        ([], "add tags", "0001_add_tags"),
        (["0009_b.py", "0010_a.py", "1234567.py", "12345_a.py", "own.py"], "x", "0011_x"),
        (
            ["0001_a.py"],
            "Rename 'tags' to \"labels\" & more words",
            "0002_rename_tags_to_labels_more",
        ),
        (["0001_a.py"], "日本", "0002"),
    ],
)
def test_new_revision_has_the_next_number(
    names: list[str], message: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "versions").mkdir()
    for name in names:
        (tmp_path / "versions" / name).touch()
    monkeypatch.setattr("dev.revisions.MIGRATIONS", tmp_path)
    assert next_revision_id(message) == expected
    assert len(expected) <= 32


def test_only_new_revisions_get_an_id() -> None:
    assert with_revision_id(["upgrade", "head"]) == ["upgrade", "head"]
    assert with_revision_id(["revision", "--rev-id", "a"]) == ["revision", "--rev-id", "a"]
    for message in (["-m", "add tags"], ["--message=add tags"]):
        [*_, identifier] = with_revision_id(["revision", *message])
        assert identifier.startswith("--rev-id=")
        assert identifier.endswith("_add_tags")

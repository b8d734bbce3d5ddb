"""Any message can be the docstring of a new revision file."""

import ast
import subprocess
import sys
from itertools import product
from pathlib import Path

from alembic.script import ScriptDirectory

from app.db.revisions import MIGRATIONS
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

"""The migration history in `migrations/versions`, read without Alembic.

Importing Alembic would cost each worker process about 7 MiB of memory and a fifth of its start
time, so the files are parsed and not executed. A parser, unlike a regular expression, also reads
an assignment with a type annotation or over several lines.
"""

import ast
from collections.abc import Iterable
from pathlib import Path

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def migration_files() -> list[Path]:
    """Return the migrations of this release; a project without tables has none."""
    return list(MIGRATIONS.glob("versions/*.py"))


def superseded_revisions(files: Iterable[Path]) -> set[str]:
    """Return all revisions but the newest: those that are the `down_revision` of another one."""
    return {revision for path in files for revision in _down_revisions(path)}


def _down_revisions(path: Path) -> tuple[str, ...]:
    """Return the `down_revision` of a migration: none for the first, several for a merge.

    Raises `ValueError` if the file is not a migration.
    """
    for statement in ast.parse(path.read_text("utf-8")).body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name("down_revision")], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name("down_revision"), value=ast.expr() as value)
            ):
                revisions = ast.literal_eval(value)
                return (revisions,) if isinstance(revisions, str) else tuple(revisions or ())
    raise ValueError(f"{path} is not a migration: it has no down_revision")

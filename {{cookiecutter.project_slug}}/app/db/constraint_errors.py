"""Application errors for violated unique constraints and foreign keys.

The language of the server's messages depends on `lc_messages`. So only the names of columns and
tables are read from a message.
"""

import re

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from app.db.base import metadata
from app.errors import ConflictError, ReferenceNotFoundError, StillReferencedError

_OWNER = "owner_id"
_RESTRICT_VIOLATION = "23001"
_UNIQUE = (PrimaryKeyConstraint, UniqueConstraint, Index)
# Finds the columns in `Key (customer_id)=(7) is not present in table "customers".`
_KEY_COLUMNS = re.compile(r"\(([^()]+)\)=\(")


def unique_field(error: BaseException) -> str | None:
    """Return the column of the violated key, unique constraint or index, if it has only one.

    The column of the owner does not count, because it is not a field of the request.
    """
    table = _find_table(error)
    if table is None:
        return None
    name = _field(error, "constraint_name")
    for rule in (*table.constraints, *table.indexes):
        if isinstance(rule, _UNIQUE) and rule.name == name:
            names = [column.name for column in rule.columns]
            return _single([name for name in names if name != _OWNER])
    return None


def reference_error(error: BaseException) -> ConflictError:
    """Return the error for a violated foreign key.

    The server reports the same constraint and the same table, the one that has the foreign key, in
    two cases: a row refers to a missing row, or a row to which others refer is removed.
    """
    detail = _field(error, "detail")
    found = _KEY_COLUMNS.search(detail)
    # The columns of the foreign key in the first case, those that it refers to in the second.
    columns = found[1].split(", ") if found else []
    table_name = _field(error, "table_name")
    constraint = _find_foreign_key(error)
    local, remote = _columns_of(constraint) if constraint is not None else (columns, columns)
    if columns and local != remote:
        is_removal = columns == remote
    else:
        # The text after the key names the other table of the two.
        is_removal = _contains_word(detail.rpartition(")")[2], table_name)
    if is_removal or _field(error, "sqlstate") == _RESTRICT_VIOLATION:
        return StillReferencedError(table_name)
    return ReferenceNotFoundError(_single(local))


def _find_foreign_key(error: BaseException) -> ForeignKeyConstraint | None:
    table = _find_table(error)
    name = _field(error, "constraint_name")
    constraints = table.foreign_key_constraints if table is not None else ()
    return next((constraint for constraint in constraints if constraint.name == name), None)


def _columns_of(constraint: ForeignKeyConstraint) -> tuple[list[str], list[str]]:
    """Return the columns of a foreign key, and the columns that they refer to."""
    local = [column.name for column in constraint.columns]
    return local, [key.target_fullname.rpartition(".")[2] for key in constraint.elements]


def _find_table(error: BaseException) -> Table | None:
    """Return the table that the error names, if the service has it."""
    name = _field(error, "table_name")
    # Tables of the default schema have no schema in the metadata.
    table = metadata.tables.get(f"{_field(error, 'schema_name')}.{name}")
    return table if table is not None else metadata.tables.get(name)


def _contains_word(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _field(error: BaseException, name: str) -> str:
    """Return a field of a server error, or an empty string if the server has not sent it."""
    return getattr(error, name, None) or ""


def _single(columns: list[str]) -> str | None:
    """Return the column if there is only one: a client cannot tell which of several is wrong."""
    return columns[0] if len(columns) == 1 else None

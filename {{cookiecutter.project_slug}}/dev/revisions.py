"""IDs of new revisions, which are also the names of their files."""

import re

from app.db.revisions import MIGRATIONS

# The size of the column in which Alembic stores the ID.
_MAX_LENGTH = 32


def next_revision_id(message: str) -> str:
    """Return the next number and the message, such as `0011_add_tags`.

    So the names of the files sort in the order of the history.
    """
    names = [path.name for path in (MIGRATIONS / "versions").glob("*.py")]
    numbers = [int(name[:4]) for name in names if re.match(r"\d{4}_", name)]
    slug = re.sub("[^a-z0-9]+", "_", message.lower()).strip("_")
    return f"{max(numbers, default=0) + 1:04}_{slug}"[:_MAX_LENGTH].rstrip("_")

<%!
def docstring(message):
    """Return the message as a string literal, as a docstring if it needs no escapes."""
    # Lone surrogates cannot be written to a file.
    message = message.encode("utf-8", "backslashreplace").decode()
    is_plain = message.isprintable() and not set(message) & {'"', "\\"}
    return f'"""{message}"""' if is_plain else repr(message)
%>\
${docstring(message)}

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision: str = ${repr(up_revision)}
down_revision: str | Sequence[str] | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}

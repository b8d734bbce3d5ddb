"""End of a user's access: after a new password, a deactivation, or on request."""

from uuid import UUID

from app.db import Transaction
# jinja: if cookiecutter.jobs
from app.db.repositories.account_tokens import AccountTokenWriter
# jinja: endif
from app.db.repositories.users import RefreshTokenWriter, UserWriter


async def end_access(user_id: UUID, transaction: Transaction) -> None:
    """End all sessions of a user.

    # jinja: if cookiecutter.jobs
    The links in mails to the user become void, too.

    # jinja: endif
    Access tokens, also those without a session, become invalid because `credentials_version`
    increases. `UserWriter.update` alone does none of this.
    """
    await UserWriter(transaction).invalidate_access_tokens(user_id)
    await RefreshTokenWriter(transaction).revoke_all(user_id)
    # jinja: if cookiecutter.jobs
    await AccountTokenWriter(transaction).void_all(user_id)
    # jinja: endif

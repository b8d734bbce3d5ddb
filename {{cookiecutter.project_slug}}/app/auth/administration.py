"""Administration of users, by administrators over HTTP and by operators with commands.

Each action is recorded in `audit_events`, in the transaction that changes the user.
"""

from collections.abc import Iterable
from uuid import UUID

from pydantic import SecretStr

from app.auth.access import end_access
from app.auth.authentication import Authentication
# jinja: if cookiecutter.jobs
from app.auth.confirmation import confirm_with_new_password
# jinja: endif
from app.auth.credential_check import UserRow
from app.auth.password_rules import reject_weak_password
from app.auth.scopes import ADMIN_SCOPE
from app.db import Transaction
from app.db.repositories.admin_users import AccountWriter
from app.db.repositories.audit_events import AuditEventWriter
from app.db.repositories.users import UserWriter
from app.errors import ConflictError


class OwnAdministrationError(ConflictError):
    """Administrators cannot end their own administration."""

    code = "own-administration"

    def __init__(self) -> None:
        super().__init__("Another administrator must do this to your account.")


class LastAdministratorError(ConflictError):
    """There would be no active administrator."""

    code = "last-administrator"

    def __init__(self) -> None:
        super().__init__("This is the last active administrator. Appoint another one first.")


async def hash_new_password(email: str, password: SecretStr, authentication: Authentication) -> str:
    """Return the hash of a password that the user with this e-mail gets from an administrator.

    Call it before the transaction begins, because hashing is slow.

    Raises `WeakPasswordError` if the password is easy to guess.
    """
    reject_weak_password(password, email, authentication.settings.issuer)
    return await authentication.passwords.hash(password)


class UserAdministration:
    """Changes users on behalf of an administrator.

    `actor_id` is the administrator, or None for a command. All methods raise `NotFoundError` for an
    unknown user.
    """

    def __init__(
        self, transaction: Transaction, actor_id: UUID | None, request_id: str | None
    ) -> None:
        self._transaction = transaction
        self._actor_id = actor_id
        self._request_id = request_id
        self._users = UserWriter(transaction)

    async def create(self, email: str, password_hash: str) -> UserRow:
        """Create a user. Raises `AlreadyExistsError` if the lower-case e-mail is registered."""
        user: UserRow = await self._users.create(email=email, password_hash=password_hash)
        await self._record("create", user.id, email=email)
        return user

    async def update(
        self,
        user_id: UUID,
        *,
        is_active: bool | None = None,
        scopes: Iterable[str] | None = None,
    ) -> UserRow:
        """Deactivate or reactivate a user, or replace the scopes. None changes nothing.

        Deactivating ends all sessions, and disables the API keys until the user is reactivated.

        Raises `OwnAdministrationError` if the actor would be no administrator any more, and
        `LastAdministratorError` if no active one would remain.
        """
        new_scopes = None if scopes is None else {*scopes}
        if is_active is False or (new_scopes is not None and ADMIN_SCOPE not in new_scopes):
            await self._check_administration_remains(user_id)
        user: UserRow = await self._users.get(user_id)
        if new_scopes is not None:
            user = await self._set_scopes(user, new_scopes)
        if is_active is not None and is_active != user.is_active:
            user = await self._users.update(user_id, is_active=is_active)
            if not is_active:
                await end_access(user_id, self._transaction)
            await self._record("reactivate" if is_active else "deactivate", user_id)
        return user

    async def grant(self, user_id: UUID, scopes: Iterable[str]) -> UserRow:
        """Give a user more scopes."""
        user: UserRow = await self._users.get(user_id)
        return await self._set_scopes(user, {*user.scopes, *scopes})

    async def revoke(self, user_id: UUID, scopes: Iterable[str]) -> UserRow:
        """Take scopes from a user. Raises the errors of `update`."""
        revoked = {*scopes}
        if ADMIN_SCOPE in revoked:
            # Before the row of the user is locked, as in `update`, which prevents deadlocks.
            await self._check_administration_remains(user_id)
        user: UserRow = await self._users.get(user_id)
        return await self._set_scopes(user, {*user.scopes} - revoked)

    async def set_password(self, user_id: UUID, password_hash: str) -> None:
        """Replace the password, and end all sessions. API keys remain valid.

        # jinja: if cookiecutter.jobs
        The e-mail counts as confirmed.

        # jinja: endif
        Raises `OwnAdministrationError` for the actor, who must confirm the present password.
        """
        if user_id == self._actor_id:
            raise OwnAdministrationError
        await self._users.update(user_id, password_hash=password_hash)
        await end_access(user_id, self._transaction)
        # jinja: if cookiecutter.jobs
        # The links are void now, so the user could not do it.
        await confirm_with_new_password(user_id, self._transaction)
        # jinja: endif
        await self._record("set-password", user_id)

    async def end_sessions(self, user_id: UUID) -> None:
        """End all sessions. Their access tokens are rejected from now on."""
        await self._users.get(user_id)
        await end_access(user_id, self._transaction)
        await self._record("end-sessions", user_id)

    async def _check_administration_remains(self, user_id: UUID) -> None:
        """Lock the active administrators, and check that the user is not needed as one."""
        administrators = await AccountWriter(self._transaction).lock_active_with_scope(ADMIN_SCOPE)
        if user_id not in administrators:
            return
        if user_id == self._actor_id:
            raise OwnAdministrationError
        if len(administrators) == 1:
            raise LastAdministratorError

    async def _set_scopes(self, user: UserRow, scopes: set[str]) -> UserRow:
        """Replace the scopes of a user whose row is locked, and record the difference."""
        before = {*user.scopes}
        if scopes == before:
            return user
        updated: UserRow = await self._users.update(user.id, scopes=sorted(scopes))
        for action, changed in (("grant", scopes - before), ("revoke", before - scopes)):
            if changed:
                await self._record(action, user.id, scopes=sorted(changed))
        return updated

    async def _record(self, action: str, user_id: UUID, **details: object) -> None:
        await AuditEventWriter(self._transaction).create(
            actor_id=self._actor_id,
            action=action,
            target_id=user_id,
            details=details,
            request_id=self._request_id,
        )

"""Operations on accounts that a link in a mail completes.

Registration, a forgotten password and a changed e-mail have two steps:

1. A request inserts a row into `account_tokens`, and enqueues a job with the ID of the row. It does
   the same for known, unconfirmed and unknown addresses, so nothing about it tells whether an
   address is known. The job sends a mail with a token (`app.auth.link_mails`).
2. The client sends the token. Its row is deleted, so it is valid only once, and the user is changed
   in the same transaction.

The password of a registration is in its row. If an address is registered several times before it is
confirmed, the user gets the password of the registration whose link is followed. So registering the
address of another user first does not set the password of the account that its owner confirms.
"""

from datetime import UTC, datetime

from pydantic import SecretStr

from app.auth.access import end_access
from app.auth.authentication import Authentication
from app.auth.confirmation import confirm_with_new_password
from app.auth.credential_check import UserRow
from app.auth.link_tokens import (
    EMAIL_CHANGE,
    KEPT_FOR,
    PASSWORD_RESET,
    REGISTRATION,
    InvalidTokenError,
    expiry,
    hash_token,
)
from app.auth.login_throttle import PasswordAttempt
from app.auth.mails import email_change_requested, email_changed
from app.auth.password_rules import reject_weak_password
from app.db import Database, Transaction
from app.db.base import Row
from app.db.repositories.account_tokens import (
    AccountTokenReader,
    AccountTokenWriter,
    ConfirmedUserReader,
    UnconfirmedUserWriter,
)
from app.db.repositories.login_failures import LoginFailureWriter
from app.db.repositories.users import UserReader, UserWriter
from app.errors import AlreadyExistsError, NotFoundError
from app.job_queue import JobQueue
from app.jobs.confirm_email import ConfirmEmail
from app.jobs.confirm_registration import ConfirmRegistration
from app.jobs.reset_password import ResetPassword
from app.jobs.send_mail import SendMail


class AccountLinks:
    """Requests that send a link, and what the link completes. E-mails must be in lower case."""

    def __init__(self, database: Database, authentication: Authentication) -> None:
        self._database = database
        self._passwords = authentication.passwords
        self._service_name = authentication.settings.issuer
        self._is_required = authentication.settings.require_confirmation

    async def request_registration(self, email: str, password: SecretStr) -> None:
        """Store a registration, and enqueue its mail.

        Raises `WeakPasswordError` if the password is easy to guess.
        """
        reject_weak_password(password, email, self._service_name)
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as transaction:
            request = await AccountTokenWriter(transaction).create(
                purpose=REGISTRATION,
                email=email,
                password_hash=password_hash,
                expires_at=expiry(REGISTRATION),
            )
            await JobQueue(transaction).enqueue(ConfirmRegistration(token_id=request.id))

    async def request_password_reset(self, email: str) -> None:
        """Store that a user has forgotten the password, and enqueue the mail."""
        async with self._database.transaction() as transaction:
            request = await AccountTokenWriter(transaction).create(
                purpose=PASSWORD_RESET, email=email, expires_at=expiry(PASSWORD_RESET)
            )
            await JobQueue(transaction).enqueue(ResetPassword(token_id=request.id))

    async def request_email_change(
        self, user: UserRow, email: str | None, transaction: Transaction
    ) -> None:
        """Store a new e-mail of the user, and enqueue the mails to both addresses.

        Does nothing for None and for the present e-mail.
        """
        if email is None or email == user.email:
            return
        request = await AccountTokenWriter(transaction).create(
            purpose=EMAIL_CHANGE, email=email, user_id=user.id, expires_at=expiry(EMAIL_CHANGE)
        )
        jobs = JobQueue(transaction)
        await jobs.enqueue(ConfirmEmail(token_id=request.id))
        await jobs.enqueue(SendMail(mail=email_change_requested(user.email, email)))

    async def confirm(self, token: SecretStr) -> None:
        """Complete a registration or the change of an e-mail. The e-mail counts as confirmed.

        Raises `InvalidTokenError`, also if the new e-mail has been registered in the meantime.
        """
        row = await self._find(token, REGISTRATION, EMAIL_CHANGE)
        try:
            async with self._database.transaction() as transaction:
                user = await self._redeem(row, transaction)
                if row.purpose == EMAIL_CHANGE:
                    await self._change_email(user, row.email, transaction)
                elif user.password_hash != row.password_hash:
                    await self._change_password(user, row.password_hash, transaction)
                await self._complete(user, transaction)
        except AlreadyExistsError:
            raise InvalidTokenError from None

    async def reset_password(self, token: SecretStr, password: SecretStr) -> None:
        """Set the password, and end all sessions. The e-mail counts as confirmed.

        Raises `InvalidTokenError`, and `WeakPasswordError` if the password is easy to guess.
        """
        # Checked before the password is hashed, which is slow, and outside a transaction.
        row = await self._find(token, PASSWORD_RESET)
        reject_weak_password(password, row.email, self._service_name)
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as transaction:
            user = await self._redeem(row, transaction)
            await self._change_password(user, password_hash, transaction)
            await self._complete(user, transaction)
            # The user may have forgotten the password after some failed logins.
            attempt = PasswordAttempt.for_login(user.email, "")
            await LoginFailureWriter(transaction).delete_for_account(attempt.account_key)

    async def find_for_login(self, email: str) -> UserRow | None:
        """Return the user who may log in with this e-mail, or None.

        With `AUTH_REQUIRE_CONFIRMATION`, an unconfirmed user is like an unknown one. Otherwise,
        registering an address and logging in would tell whether it was known before.
        """
        if self._is_required:
            return await ConfirmedUserReader(self._database).find_by_email(email)
        return await UserReader(self._database).find_by_email(email)

    async def delete_expired(self) -> None:
        """Delete expired tokens, and the unconfirmed users that have no token left."""
        async with self._database.transaction() as transaction:
            await AccountTokenWriter(transaction).delete_expired(datetime.now(UTC) - KEPT_FOR)
            if self._is_required:
                await UnconfirmedUserWriter(transaction).delete_abandoned_users()

    async def _find(self, token: SecretStr, *purposes: str) -> Row:
        token_hash = hash_token(token.get_secret_value())
        row = await AccountTokenReader(self._database).find_live(token_hash)
        if row is None or row.purpose not in purposes:
            raise InvalidTokenError
        return row

    async def _redeem(self, row: Row, transaction: Transaction) -> UserRow:
        """Lock the user, delete the token, and return the user. Raises `InvalidTokenError`."""
        try:
            user: UserRow = await UserWriter(transaction).get(row.user_id)
        except NotFoundError:
            raise InvalidTokenError from None
        is_redeemed = await AccountTokenWriter(transaction).redeem(row.token_hash)
        if not (is_redeemed and user.is_active):
            raise InvalidTokenError
        return user

    async def _change_email(self, user: UserRow, email: str, transaction: Transaction) -> None:
        if self._is_required:
            await UnconfirmedUserWriter(transaction).delete_user(email)
        await UserWriter(transaction).update(user.id, email=email)
        await JobQueue(transaction).enqueue(SendMail(mail=email_changed(user.email, email)))

    async def _change_password(
        self, user: UserRow, password_hash: str, transaction: Transaction
    ) -> None:
        await UserWriter(transaction).update(user.id, password_hash=password_hash)
        await end_access(user.id, transaction)
        await confirm_with_new_password(user.id, transaction)

    async def _complete(self, user: UserRow, transaction: Transaction) -> None:
        """Confirm the e-mail, and void the other tokens of the user."""
        await UnconfirmedUserWriter(transaction).confirm(user.id)
        await AccountTokenWriter(transaction).void_all(user.id)

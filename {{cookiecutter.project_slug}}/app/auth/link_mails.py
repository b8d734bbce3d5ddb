"""The mails with links, composed by jobs.

A request stores what it asks for, and enqueues a job with the ID of that row: the same for every
e-mail. The functions here look up the e-mail and decide. No client waits for them, so the time that
they take tells nothing. They create the token, so that it is never stored except as a hash. If a
job is repeated, its new token replaces the earlier one.

They lock the user before the row of the token, as `app.auth.links` does, so that they cannot
deadlock.
"""

from uuid import UUID

from app.auth import mails
from app.auth.authentication import Authentication
from app.auth.link_tokens import (
    EMAIL_CHANGE,
    PASSWORD_RESET,
    REGISTRATION,
    expiry,
    hash_token,
    new_token,
)
from app.db import Transaction
from app.db.repositories.account_tokens import AccountTokenWriter, UnconfirmedUserWriter
from app.db.repositories.users import UserWriter
from app.job_queue import JobContext, JobQueue
from app.jobs.send_mail import SendMail
from app.mail import Mail
from app.mail.settings import MailSettings


async def registration_mail(context: JobContext, token_id: UUID) -> Mail | None:
    """Create an unconfirmed user unless there is one, and return the mail with the link.

    If the e-mail belongs to a confirmed user, sends a notice instead. None if there is no mail.
    """
    app_url = context.settings.group(MailSettings).app_url
    async with context.database.transaction() as transaction:
        unconfirmed = UnconfirmedUserWriter(transaction)
        request = await AccountTokenWriter(transaction).find_request(token_id)
        if request is None:
            return None
        user_id = await unconfirmed.lock_user(request.email)
        if user_id is None:
            user, is_new = await UserWriter(transaction).get_or_create(
                ["email"], email=request.email, password_hash=request.password_hash
            )
            user_id = user.id
            if is_new:
                await unconfirmed.create(user_id=user_id)
        if not await unconfirmed.exists(user_id):
            notice = mails.account_exists(request.email, app_url)
            await _replace_by_notice(token_id, notice, transaction)
            return None
        is_repeated = await AccountTokenWriter(transaction).has_others(token_id, user_id)
        token = await _issue(token_id, user_id, REGISTRATION, transaction)
    if token is None:
        return None
    return mails.confirm_registration(request.email, app_url, token, is_repeated=is_repeated)


async def password_reset_mail(context: JobContext, token_id: UUID) -> Mail | None:
    """Return the mail with the link, or None if there is no active user with this e-mail."""
    async with context.database.transaction() as transaction:
        tokens = AccountTokenWriter(transaction)
        request = await tokens.find_request(token_id)
        if request is None:
            return None
        user_id = await UnconfirmedUserWriter(transaction).lock_user(request.email)
        user = await UserWriter(transaction).get(user_id) if user_id else None
        if user is None or not user.is_active:
            await tokens.discard(token_id)
            return None
        token = await _issue(token_id, user.id, PASSWORD_RESET, transaction)
    app_url = context.settings.group(MailSettings).app_url
    return mails.reset_password(request.email, app_url, token) if token else None


async def email_change_mail(context: JobContext, token_id: UUID) -> Mail | None:
    """Return the mail with the link to the new address.

    If the address belongs to another user, sends a notice instead. None if there is no mail.
    """
    app_url = context.settings.group(MailSettings).app_url
    async with context.database.transaction() as transaction:
        request = await AccountTokenWriter(transaction).find_request(token_id)
        if request is None:
            return None
        # A request of a deleted user would have been deleted too.
        await UserWriter(transaction).get(request.user_id)
        if await _is_in_use(context, request.email, transaction):
            notice = mails.email_in_use(request.email, app_url)
            await _replace_by_notice(token_id, notice, transaction)
            return None
        token = await _issue(token_id, request.user_id, EMAIL_CHANGE, transaction)
    return mails.confirm_email(request.email, app_url, token) if token else None


async def _is_in_use(context: JobContext, email: str, transaction: Transaction) -> bool:
    # Not locked: `AccountLinks.confirm` finds out whether the address is still free.
    # An unconfirmed user who cannot log in does not keep others from using their own address.
    authentication: Authentication = context.state.authentication
    return await UnconfirmedUserWriter(transaction).is_email_in_use(
        email, by_confirmed=authentication.settings.require_confirmation
    )


async def _issue(
    token_id: UUID, user_id: UUID, purpose: str, transaction: Transaction
) -> str | None:
    token = new_token()
    is_stored = await AccountTokenWriter(transaction).issue(
        token_id, user_id, hash_token(token), expiry(purpose)
    )
    return token if is_stored else None


async def _replace_by_notice(token_id: UUID, notice: Mail, transaction: Transaction) -> None:
    # In the transaction that deletes the row, so a repeated job sends no second notice.
    if await AccountTokenWriter(transaction).discard(token_id):
        await JobQueue(transaction).enqueue(SendMail(mail=notice))

"""Registration by mail: who gets which mail, and what the link completes."""

import asyncpg
import pytest
from httpx2 import AsyncClient

from app.jobs.purge_accounts import PurgeAccounts
from tests.auth import emails
from tests.auth.helpers import (
    EMAIL,
    ME,
    OTHER_EMAIL,
    PASSWORD,
    WRONG_PASSWORD,
    assert_unauthorized,
    bearer,
    log_in,
    log_in_tokens,
    register,
)
from tests.auth.links.helpers import (
    NEW_PASSWORD,
    OTHER_PASSWORD,
    assert_invalid,
    confirm,
    forgot,
    registration_token,
    reset,
    reset_token,
    send_registration,
)
from tests.auth.links.outbox import Outbox, token_in


async def test_confirmed_user_can_log_in(committing_client: AsyncClient, outbox: Outbox) -> None:
    client = committing_client
    response = await send_registration(client, "Ada@Example.com")
    assert (response.status_code, response.json()) == (202, {})
    mail = await outbox.mail()
    assert mail.to == EMAIL
    assert f"http://127.0.0.1:8000/confirm?token={token_in(mail)}\n" in mail.text
    wrong = assert_unauthorized(await log_in(client, password=WRONG_PASSWORD))
    assert assert_unauthorized(await log_in(client)) == wrong

    response = await confirm(client, token_in(mail))
    assert (response.status_code, response.content) == (204, b"")
    me = await client.get(ME, headers=bearer(await log_in_tokens(client)))
    assert me.json()["email"] == EMAIL
    assert me.json()["email"] == EMAIL
    assert_invalid(await confirm(client, token_in(mail)))


async def test_nothing_is_created_before_the_job_runs(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    await send_registration(committing_client)
    assert await sql.fetchval("SELECT count(*) FROM users") == 0
    await outbox.mails()
    assert await sql.fetchval("SELECT count(*) FROM unconfirmed_users JOIN users ON true") == 1


async def test_password_of_the_followed_link_counts(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    first = await registration_token(client, outbox, password=OTHER_PASSWORD)
    second = await registration_token(client, outbox)
    assert (await confirm(client, second)).status_code == 204
    assert (await log_in(client)).status_code == 200
    assert (await log_in(client, password=OTHER_PASSWORD)).status_code == 401
    assert_invalid(await confirm(client, first))


async def test_registration_of_a_known_address_sends_a_notice(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    await register(committing_client)
    await send_registration(committing_client, password=NEW_PASSWORD)
    notice = await outbox.mail()
    assert notice.to == EMAIL
    assert "already have an account" in notice.text
    assert token_in(notice) == ""
    assert (await log_in(committing_client)).status_code == 200
    assert (await log_in(committing_client, password=NEW_PASSWORD)).status_code == 401
    assert await sql.fetchval("SELECT count(*) FROM account_tokens") == 0


@pytest.mark.usefixtures("optional_confirmation")
async def test_unconfirmed_user_can_log_in_if_confirmation_is_optional(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    token = await registration_token(client, outbox)
    tokens = await log_in_tokens(client)
    # The password is the same, so the session continues.
    assert (await confirm(client, token)).status_code == 204
    assert (await client.get(ME, headers=bearer(tokens))).status_code == 200


@pytest.mark.usefixtures("optional_confirmation")
async def test_confirmation_with_another_password_ends_the_sessions(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    await registration_token(client, outbox, password=OTHER_PASSWORD)
    tokens = await log_in_tokens(client, password=OTHER_PASSWORD)
    token = await registration_token(client, outbox)
    assert (await confirm(client, token)).status_code == 204
    assert_unauthorized(await client.get(ME, headers=bearer(tokens)))
    assert (await log_in(client)).status_code == 200


async def test_password_reset_confirms_the_address(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    unused = await registration_token(client, outbox)
    assert (await reset(client, await reset_token(client, outbox))).status_code == 204
    assert (await log_in(client, password=NEW_PASSWORD)).status_code == 200
    assert (await log_in(client, password=PASSWORD)).status_code == 401
    assert_invalid(await confirm(client, unused))


@pytest.mark.parametrize("email", emails.VALID)
async def test_email_valid_in_browsers_is_accepted(
    committing_client: AsyncClient, outbox: Outbox, email: str
) -> None:
    assert (await send_registration(committing_client, email)).status_code == 202
    assert (await outbox.mail()).to == email
    assert (await forgot(committing_client, email)).status_code == 202
    assert (await outbox.mail()).to == email


@pytest.mark.parametrize("email", emails.INVALID)
async def test_invalid_email_is_rejected(client: AsyncClient, email: object) -> None:
    assert (await send_registration(client, email)).status_code == 422
    assert (await forgot(client, email)).status_code == 422


async def test_purge_deletes_unconfirmed_accounts_without_tokens(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    await register(committing_client, "confirmed@example.com")
    await registration_token(committing_client, outbox)
    await sql.execute("UPDATE account_tokens SET expires_at = now() - interval '3 days'")
    await registration_token(committing_client, outbox, OTHER_EMAIL)
    await outbox.run(PurgeAccounts())
    left = {row["email"] for row in await sql.fetch("SELECT email FROM users")}
    assert left == {"confirmed@example.com", OTHER_EMAIL}
    assert await sql.fetchval("SELECT count(*) FROM account_tokens") == 1


@pytest.mark.usefixtures("optional_confirmation")
async def test_purge_keeps_unconfirmed_accounts_if_confirmation_is_optional(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    await registration_token(committing_client, outbox)
    await sql.execute("UPDATE account_tokens SET expires_at = now() - interval '3 days'")
    await outbox.run(PurgeAccounts())
    assert await sql.fetchval("SELECT count(*) FROM users") == 1

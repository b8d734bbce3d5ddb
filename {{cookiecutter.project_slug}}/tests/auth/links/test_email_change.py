"""Changed e-mails: the new one counts when it is confirmed."""

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db import Database
from app.settings import Settings
from tests.auth.helpers import (
    EMAIL,
    ME,
    OTHER_EMAIL,
    log_in,
    new_user,
    register,
    update_me,
)
from tests.auth.links.helpers import (
    NEW_EMAIL,
    NEW_PASSWORD,
    assert_invalid,
    confirm,
    registration_token,
    reset,
    reset_token,
)
from tests.auth.links.outbox import Outbox, token_in


async def test_new_email_counts_when_it_is_confirmed(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    headers = await new_user(client)
    before = (await client.get(ME, headers=headers)).json()
    response = await update_me(client, headers, email="Lovelace@Example.com")
    assert (response.status_code, response.json()) == (200, before)
    first, second = await outbox.mails()
    link, announcement = (first, second) if token_in(first) else (second, first)
    assert (link.to, announcement.to) == (NEW_EMAIL, EMAIL)
    assert NEW_EMAIL in announcement.text
    assert token_in(announcement) == ""
    assert (await log_in(client, NEW_EMAIL)).status_code == 401

    unused = await reset_token(client, outbox)
    assert (await confirm(client, token_in(link))).status_code == 204
    told = await outbox.mail()
    assert told.to == EMAIL
    assert NEW_EMAIL in told.text
    # The session continues.
    assert (await client.get(ME, headers=headers)).json() == {**before, "email": NEW_EMAIL}
    assert (await log_in(client, NEW_EMAIL)).status_code == 200
    assert (await log_in(client, EMAIL)).status_code == 401
    assert_invalid(await confirm(client, token_in(link)), await confirm(client, "x"))
    assert_invalid(await reset(client, unused))


@pytest.mark.parametrize("is_in_use", [True, False])
async def test_job_needs_only_one_connection(
    app: FastAPI,
    committing_client: AsyncClient,
    queue: asyncpg.Connection,
    settings: Settings,
    is_in_use: bool,
) -> None:
    client = committing_client
    if is_in_use:
        await register(client, NEW_EMAIL)
    await update_me(client, await new_user(client), email=NEW_EMAIL)
    changes = {"pool_min_size": 0, "pool_max_size": 1, "pool_timeout": 1.0}
    async with Database(settings.database.model_copy(update=changes)) as database:
        mails = await Outbox(queue, database, settings, app.state.authentication).mails()
    assert {mail.to for mail in mails} == {EMAIL, NEW_EMAIL}


async def test_changes_of_the_email_are_limited(client: AsyncClient) -> None:
    headers = await new_user(client)
    statuses = [(await update_me(client, headers, email=NEW_EMAIL)).status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    # Without a new e-mail, no mail is sent.
    response = await update_me(client, headers, password=NEW_PASSWORD)
    assert response.status_code == 200


async def test_email_in_use_gets_the_same_response_and_a_notice(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    client = committing_client
    await register(client, NEW_EMAIL)
    headers = await new_user(client)
    before = (await client.get(ME, headers=headers)).json()
    response = await update_me(client, headers, email=NEW_EMAIL)
    assert (response.status_code, response.json()) == (200, before)
    mails = await outbox.mails()
    assert sorted(mail.to for mail in mails) == [EMAIL, NEW_EMAIL]
    assert [token_in(mail) for mail in mails] == ["", ""]
    assert await sql.fetchval("SELECT count(*) FROM account_tokens") == 0


async def test_email_that_is_registered_in_the_meantime_is_an_invalid_token(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    headers = await new_user(client)
    await update_me(client, headers, email=NEW_EMAIL)
    token = await outbox.token()
    await register(client, NEW_EMAIL, NEW_PASSWORD)
    assert_invalid(await confirm(client, token), await confirm(client, "x"))
    assert (await client.get(ME, headers=headers)).json()["email"] == EMAIL
    assert (await log_in(client, NEW_EMAIL, NEW_PASSWORD)).status_code == 200


async def test_unconfirmed_account_does_not_block_an_address(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    client = committing_client
    headers = await new_user(client)
    registration = await registration_token(client, outbox, NEW_EMAIL, NEW_PASSWORD)
    await update_me(client, headers, email=NEW_EMAIL)
    assert (await confirm(client, await outbox.token())).status_code == 204
    assert (await client.get(ME, headers=headers)).json()["email"] == NEW_EMAIL
    assert_invalid(await confirm(client, registration))
    assert await sql.fetchval("SELECT count(*) FROM users") == 1


@pytest.mark.usefixtures("optional_confirmation")
async def test_unconfirmed_account_that_can_be_used_keeps_its_address(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    headers = await new_user(client)
    await registration_token(client, outbox, NEW_EMAIL, NEW_PASSWORD)
    await update_me(client, headers, email=NEW_EMAIL)
    assert [token_in(mail) for mail in await outbox.mails()] == ["", ""]
    assert (await log_in(client, NEW_EMAIL, NEW_PASSWORD)).status_code == 200


async def test_token_of_another_user_changes_only_that_user(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    other = await new_user(client, OTHER_EMAIL)
    headers = await new_user(client)
    await update_me(client, other, email=NEW_EMAIL)
    assert (await confirm(client, await outbox.token())).status_code == 204
    assert (await client.get(ME, headers=headers)).json()["email"] == EMAIL
    assert (await client.get(ME, headers=other)).json()["email"] == NEW_EMAIL


async def test_new_password_voids_earlier_changes_but_not_the_one_of_its_request(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    headers = await new_user(client)
    await update_me(client, headers, email=OTHER_EMAIL)
    earlier = await outbox.token()
    await update_me(client, headers, email=NEW_EMAIL, password=NEW_PASSWORD)
    token = await outbox.token()
    assert_invalid(await confirm(client, earlier))
    assert (await confirm(client, token)).status_code == 204
    assert (await log_in(client, NEW_EMAIL, NEW_PASSWORD)).status_code == 200


async def test_present_email_sends_no_mail(committing_client: AsyncClient, outbox: Outbox) -> None:
    headers = await new_user(committing_client)
    assert (await update_me(committing_client, headers, email=EMAIL)).status_code == 200
    assert await outbox.mails() == []

"""Links that several clients follow at the same time, and jobs that run again or concurrently."""

import asyncio
import logging
from collections import Counter

import asyncpg
import pytest
from httpx2 import AsyncClient

from app.auth import links
from app.errors import UnprocessableError
from tests.auth.helpers import EMAIL, ME, PASSWORD, log_in, new_user, register, update_me
from tests.auth.links.helpers import (
    NEW_EMAIL,
    NEW_PASSWORD,
    assert_invalid,
    confirm,
    forgot,
    registration_token,
    reset,
    reset_token,
    send_registration,
)
from tests.auth.links.outbox import Outbox, token_in

CLIENTS = 20


async def test_one_of_many_clients_confirms(committing_client: AsyncClient, outbox: Outbox) -> None:
    token = await registration_token(committing_client, outbox)
    responses = await asyncio.gather(*(confirm(committing_client, token) for _ in range(CLIENTS)))
    assert Counter(response.status_code for response in responses) == {204: 1, 404: CLIENTS - 1}
    assert_invalid(*[response for response in responses if response.status_code == 404])


async def test_one_of_many_clients_resets_the_password(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    await register(client)
    token = await reset_token(client, outbox)
    passwords = [f"a good password {number}" for number in range(CLIENTS)]
    responses = await asyncio.gather(*(reset(client, token, one) for one in passwords))
    statuses = [response.status_code for response in responses]
    assert Counter(statuses) == {204: 1, 404: CLIENTS - 1}
    winner = passwords.pop(statuses.index(204))
    assert (await log_in(client, password=winner)).status_code == 200
    # Fewer than the limit of failed logins.
    for other in passwords[:5]:
        assert (await log_in(client, password=other)).status_code == 401


async def test_one_of_several_tokens_of_a_user_is_redeemed(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    await register(client)
    tokens = [await reset_token(client, outbox) for _ in range(5)]
    responses = await asyncio.gather(*(reset(client, token) for token in tokens * 4))
    assert Counter(response.status_code for response in responses) == {204: 1, 404: CLIENTS - 1}


async def test_reset_and_change_of_a_password_at_the_same_time(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    headers = await new_user(client)
    token = await reset_token(client, outbox)
    responses = await asyncio.gather(
        *(reset(client, token) for _ in range(5)),
        *(update_me(client, headers, password=PASSWORD + " 2") for _ in range(5)),
    )
    assert {response.status_code for response in responses} <= {200, 204, 401, 404, 422}
    assert_invalid(await reset(client, token), await reset(client, "x"))


async def test_two_users_confirm_the_same_new_email(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    headers = [await new_user(client, f"user{number}@example.com") for number in range(5)]
    tokens = []
    for one in headers:
        await update_me(client, one, email=NEW_EMAIL)
        tokens.append(await outbox.token())
    responses = await asyncio.gather(*(confirm(client, token) for token in tokens))
    assert Counter(response.status_code for response in responses) == {204: 1, 404: 4}
    emails = [(await client.get(ME, headers=one)).json()["email"] for one in headers]
    assert emails.count(NEW_EMAIL) == 1


async def test_concurrent_jobs_of_an_address_create_one_user(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection
) -> None:
    for _ in range(CLIENTS):
        await send_registration(committing_client)
    await asyncio.gather(*(outbox.run(job) for job in await outbox.take_jobs()))
    assert await sql.fetchval("SELECT count(*) FROM users") == 1
    tokens = [token_in(mail) for mail in outbox.sent]
    assert len({*tokens} - {""}) == CLIENTS
    responses = await asyncio.gather(*(confirm(committing_client, token) for token in tokens))
    assert Counter(response.status_code for response in responses) == {204: 1, 404: CLIENTS - 1}


async def test_repeated_job_replaces_the_token_and_the_message(
    committing_client: AsyncClient, outbox: Outbox
) -> None:
    client = committing_client
    await register(client)
    await forgot(client)
    (job,) = await outbox.take_jobs()
    outbox.is_available = False
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await outbox.run(job)
    outbox.is_available = True
    # As if the worker were killed after it has sent the message.
    for _ in range(2):
        await outbox.run(job)
    first, second = map(token_in, outbox.sent)
    assert len({*outbox.message_ids}) == 2
    assert_invalid(await reset(client, first))
    assert (await reset(client, second)).status_code == 204
    await outbox.run(job)
    assert len(outbox.sent) == 2


@pytest.mark.parametrize("is_known", [True, False])
async def test_repeated_registration_job_sends_one_notice_and_creates_one_user(
    committing_client: AsyncClient, outbox: Outbox, sql: asyncpg.Connection, is_known: bool
) -> None:
    client = committing_client
    if is_known:
        await register(client)
    await send_registration(client, password=NEW_PASSWORD)
    (job,) = await outbox.take_jobs()
    await asyncio.gather(*(outbox.run(job) for _ in range(5)))
    tokens = [token_in(mail) for mail in await outbox.mails()]
    assert len(tokens) == (1 if is_known else 5)
    assert await sql.fetchval("SELECT count(*) FROM users") == 1
    statuses = Counter([(await confirm(client, token)).status_code for token in tokens])
    assert statuses == ({404: 1} if is_known else {204: 1, 404: 4})
    await outbox.run(job)
    assert outbox.sent == []


async def test_rollback_leaves_neither_a_row_nor_a_job(
    committing_client: AsyncClient,
    outbox: Outbox,
    sql: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(**_: object) -> None:
        raise UnprocessableError("after the row was inserted")

    monkeypatch.setattr(links, "ConfirmRegistration", fail)
    assert (await send_registration(committing_client)).status_code == 422
    assert await outbox.take_jobs() == []
    assert await sql.fetchval("SELECT count(*) FROM account_tokens") == 0


async def test_secrets_are_neither_stored_nor_logged(
    committing_client: AsyncClient,
    outbox: Outbox,
    sql: asyncpg.Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = committing_client
    with caplog.at_level(logging.DEBUG):
        await send_registration(client)
        payloads = str([job.model_dump_json() for job in await outbox.take_jobs()])
        token = await registration_token(client, outbox)
        stored = str(await sql.fetch("SELECT * FROM account_tokens"))
        await confirm(client, token)
        reset_by = await reset_token(client, outbox)
        stored += str(await sql.fetch("SELECT * FROM account_tokens"))
        await reset(client, reset_by)
    log = caplog.text + str([vars(record) for record in caplog.records])
    assert EMAIL in stored
    assert [secret for secret in (PASSWORD, NEW_PASSWORD, token, reset_by) if secret in log] == []
    assert [secret for secret in (token, reset_by, PASSWORD) if secret in stored] == []
    assert "$argon2" not in log
    assert [secret for secret in (PASSWORD, EMAIL, "$argon2") if secret in payloads] == []

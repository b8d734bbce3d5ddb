"""Registration: valid e-mails, and uniqueness regardless of case."""

from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from pwdlib.hashers.argon2 import Argon2Hasher

from tests.auth import emails
from tests.auth.helpers import AUTH, EMAIL, ME, PASSWORD, bearer, log_in, log_in_tokens

OTHER_PASSWORD = "another password"


async def send(client: AsyncClient, email: object = EMAIL, password: str = PASSWORD) -> Response:
    return await client.post(f"{AUTH}/register", json={"email": email, "password": password})


async def test_registered_user_is_returned_without_the_password(client: AsyncClient) -> None:
    response = await send(client)
    user = response.json()
    assert response.status_code == 201
    assert user.keys() == {"id", "email", "created_at"}
    assert user["email"] == EMAIL
    me = await client.get(ME, headers=bearer(await log_in_tokens(client)))
    assert (me.status_code, me.json()) == (200, {**user, "scopes": []})


async def test_email_is_unique_regardless_of_case(client: AsyncClient) -> None:
    assert (await send(client, "Ada@Example.COM")).status_code == 201
    for email in (EMAIL, "ADA@example.com"):
        response = await send(client, email, OTHER_PASSWORD)
        assert (response.status_code, response.json()["field"]) == (409, "email")
        assert (await log_in(client, email)).status_code == 200
    assert (await log_in(client, password=OTHER_PASSWORD)).status_code == 401


async def test_known_and_unknown_emails_cost_the_same_work(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed, original = [], Argon2Hasher.hash

    def record(*arguments: Any, **options: Any) -> str:
        hashed.append(arguments)
        return original(*arguments, **options)

    monkeypatch.setattr(Argon2Hasher, "hash", record)
    statuses = []
    for number in (1, 2):
        statuses.append((await send(client)).status_code)
        assert len(hashed) == number
    assert statuses == [201, 409]


@pytest.mark.parametrize("email", emails.VALID)
async def test_email_valid_in_browsers_is_accepted(client: AsyncClient, email: str) -> None:
    assert (await send(client, email)).status_code == 201
    assert (await log_in(client, email)).status_code == 200


@pytest.mark.parametrize("email", emails.INVALID)
async def test_invalid_email_is_rejected(client: AsyncClient, email: object) -> None:
    assert (await send(client, email)).status_code == 422

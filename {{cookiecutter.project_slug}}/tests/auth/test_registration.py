"""Registration: valid e-mails, and uniqueness regardless of case."""

import pytest
from httpx2 import AsyncClient

from tests.auth.helpers import AUTH, EMAIL, ME, PASSWORD, bearer, log_in, log_in_tokens, register

OTHER_PASSWORD = "another password"


async def test_registered_user_is_returned_without_the_password(client: AsyncClient) -> None:
    user = await register(client)
    assert user.keys() == {"id", "email", "created_at"}
    assert user["email"] == EMAIL
    me = await client.get(ME, headers=bearer(await log_in_tokens(client)))
    assert (me.status_code, me.json()) == (200, user)


async def test_email_is_unique_regardless_of_case(client: AsyncClient) -> None:
    await register(client, "Ada@Example.COM")
    for email in (EMAIL, "ADA@example.com"):
        response = await client.post(
            f"{AUTH}/register", json={"email": email, "password": OTHER_PASSWORD}
        )
        assert (response.status_code, response.json()["field"]) == (409, "email")
        assert (await log_in(client, email)).status_code == 200
    assert (await log_in(client, password=OTHER_PASSWORD)).status_code == 401


@pytest.mark.parametrize(
    "email",
    ["a@b", "a.b+c@d-e.f", "!#$%&'*+/=?^_`{|}~.-@a.b", ".@x", "a" * 242 + "@example.com"],
)
async def test_email_valid_in_browsers_is_accepted(client: AsyncClient, email: str) -> None:
    await register(client, email)
    assert (await log_in(client, email)).status_code == 200


@pytest.mark.parametrize(
    "email",
    [
        *("", "a", "@b", "a@", "a@b@c", "a b@c", "a@b c", "a@-b", "a@b-", "a@b..c", "ä@b", "a@ä"),
        *(" a@b", "a@b\n", "a\0@b", "a@" + "b" * 64, "a" * 243 + "@example.com", 1, None),
    ],
)
async def test_invalid_email_is_rejected(client: AsyncClient, email: object) -> None:
    content = {"email": email, "password": PASSWORD}
    response = await client.post(f"{AUTH}/register", json=content)
    assert response.status_code == 422

"""Requests that these tests share."""

import json
from typing import Any

from httpx2 import AsyncClient, Response

from tests.auth.helpers import AUTH, EMAIL, PASSWORD
from tests.auth.links.outbox import Outbox

NEW_PASSWORD = "another good password"
#: With which an attacker registers the address of another user.
OTHER_PASSWORD = "the password of an attacker"
NEW_EMAIL = "lovelace@example.com"


async def send_registration(
    client: AsyncClient, email: object = EMAIL, password: str = PASSWORD
) -> Response:
    body = {"email": email, "password": password}
    return await client.post(f"{AUTH}/register", json=body)


async def registration_token(
    client: AsyncClient, outbox: Outbox, email: str = EMAIL, password: str = PASSWORD
) -> str:
    """Register an address that is not confirmed, and return the token of the mail."""
    response = await send_registration(client, email, password)
    assert (response.status_code, response.json()) == (202, {})
    return await outbox.token()


async def reset_token(client: AsyncClient, outbox: Outbox, email: str = EMAIL) -> str:
    """Request a password reset, and return the token of the mail."""
    response = await forgot(client, email)
    assert (response.status_code, response.json()) == (202, {})
    return await outbox.token()


async def forgot(client: AsyncClient, email: object = EMAIL) -> Response:
    return await client.post(f"{AUTH}/password/forgot", json={"email": email})


async def confirm(client: AsyncClient, token: object) -> Response:
    return await client.post(f"{AUTH}/confirm", json={"token": token})


async def reset(client: AsyncClient, token: object, password: str = NEW_PASSWORD) -> Response:
    body = {"token": token, "password": password}
    return await client.post(f"{AUTH}/password/reset", json=body)


def assert_invalid(*responses: Response) -> None:
    """Check that all responses reject a token, with the same body and headers."""
    assert {response.status_code for response in responses} == {404}
    bodies = [
        {name: value for name, value in response.json().items() if name != "request_id"}
        for response in responses
    ]
    instances = [body.pop("instance") for body in bodies]
    assert all(body == bodies[0] for body in bodies), instances
    assert bodies[0]["type"] == "/problems/invalid-token"
    assert len({comparable_headers(response) for response in responses}) == 1


def comparable_headers(response: Response) -> str:
    """Return the headers, without the ID of the request, as text."""
    names = ("x-request-id", "content-length")
    headers: dict[str, Any] = {
        name: value for name, value in response.headers.items() if name not in names
    }
    return json.dumps(headers, sort_keys=True)

"""Validation of passwords: any characters, limited length."""

import pytest
from httpx2 import AsyncClient

from tests.auth.helpers import AUTH, log_in, new_user, register, register_status, update_me

ACCENTED, DECOMPOSED = "caf\u00e9 cr\u00e8me", "cafe\u0301 cre\u0300me"


@pytest.mark.parametrize(
    "password",
    [
        "zyxzyxzx",
        "x" * 256,
        "\0" * 8,
        "\U0001f600" * 256,
        "e\u0301" * 128,
        "\n" * 8,
        "\ufdfa" * 256,
    ],
    ids=["short", "long", "NUL", "emoji", "combining", "newlines", "growing"],
)
async def test_password_may_contain_any_characters(client: AsyncClient, password: str) -> None:
    headers = await new_user(client)
    assert (await update_me(client, headers, password=password)).status_code == 200
    assert (await log_in(client, password=password)).status_code == 200
    assert (await log_in(client, password=password[:-1] + "y")).status_code == 401


@pytest.mark.parametrize("password", ["", "x" * 7, "x" * 257, None, 12345678, ["x" * 8]])
async def test_password_of_invalid_length_or_type_is_rejected(
    client: AsyncClient, password: object
) -> None:
    assert await register_status(client, password) == 422


async def test_huge_password_is_rejected(client: AsyncClient) -> None:
    assert await register_status(client, "x" * 10_000_000) == 413
    assert (await log_in(client, password="x" * 10_000_000)).status_code == 413


async def test_lone_surrogates_are_rejected(client: AsyncClient) -> None:
    content = rb'{"email": "ada@example.com", "password": "\ud800 and more"}'
    headers = {"Content-Type": "application/json"}
    response = await client.post(f"{AUTH}/register", content=content, headers=headers)
    assert response.status_code == 422
    form = b"username=ada%40example.com&password=%ED%A0%80"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = await client.post(f"{AUTH}/token", content=form, headers=headers)
    assert response.status_code == 401


@pytest.mark.parametrize(("first", "second"), [(ACCENTED, DECOMPOSED), (DECOMPOSED, ACCENTED)])
async def test_composed_and_decomposed_accents_are_equal(
    client: AsyncClient, first: str, second: str
) -> None:
    await register(client, password=first)
    assert (await log_in(client, password=second)).status_code == 200

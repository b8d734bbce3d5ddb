"""Common passwords and words of the account are rejected wherever a password is set."""

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pydantic import SecretStr

from app.auth.authentication import Authentication
from app.auth.hash_queue import HashQueue
from app.auth.password_rules import WeakPasswordError, _common_passwords, reject_weak_password
from tests.auth.helpers import (
    EMAIL,
    PASSWORD,
    WRONG_PASSWORD,
    authenticate,
    count_failures,
    insert_user,
    log_in,
    new_user,
    register_status,
    update_me,
)
from tests.commands.conftest import Run

USER, SERVICE = "ada.lovelace+shop@mail.example.com", "corner-shop"
COMMON = "This password is too common."
EMAIL_WORD = "This password is too similar to the e-mail."
SERVICE_WORD = "This password is too similar to the name of the service."


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        *(
            (password, COMMON)
            for password in (
                *("password", "PassWord", "password1", "Password123!", "!!password!!", "p4ssw0rd"),
                *("P@$$w0rd2024", "pass-word", "12345678", "qwertyuiop", "1q2w3e4r", "sunshine"),
                *("sunshine#1", "SUNSHINE_2025", "iloveyou", "  sunshine  ", "xxxxxxxx"),
            )
        ),
        *(
            (password, EMAIL_WORD)
            for password in (
                *(USER, USER.upper(), "ada.lovelace", "adalovelace", "ada_lovelace1", "Lovelace"),
                *("lovelace1815", "l0v3lac3", "mail.example.com", "mailexamplecom", "EXAMPLE2024"),
            )
        ),
        *(
            (password, SERVICE_WORD)
            for password in ("corner-shop", "CornerShop", "corner_shop!", "c0rner shop 1")
        ),
    ],
)
def test_weak_password_is_rejected(password: str, reason: str) -> None:
    with pytest.raises(WeakPasswordError) as raised:
        reject_weak_password(SecretStr(password), USER, SERVICE)
    (error,) = raised.value.members["errors"]
    assert error == {"loc": ["body", "password"], "type": "refused", "msg": reason}


@pytest.mark.parametrize(
    "password",
    [
        *(PASSWORD, "lovelace and babbage", "ada loves cats", "sunshine on a rainy day"),
        # Less than half of these is a known word.
        *("ada93718", "abc!58291047", "9274shop0183", "password 81926 17263"),
        *("\0" * 8, "!" * 8, "\U0001f600" * 8, "x" * 256, "\ufdfa" * 256),
    ],
)
def test_other_password_is_accepted(password: str) -> None:
    reject_weak_password(SecretStr(password), USER, SERVICE)


@pytest.mark.parametrize("email", ["a@b", "-@b", "1@2", "@"])
def test_short_words_of_the_account_reject_nothing(email: str) -> None:
    for password in ("ab-12345", "--------", "a1b2c3d4e5f6", "91827364"):
        reject_weak_password(SecretStr(password), email, "x")


def test_accents_are_compared_in_normal_form() -> None:
    for password in ("caf\u00e9-creme", "CAFE\u0301-CREME"):
        with pytest.raises(WeakPasswordError):
            reject_weak_password(SecretStr(password), "ada@b.c", "cafe\u0301-creme")


def test_list_has_ten_thousand_passwords_in_normal_form() -> None:
    passwords = _common_passwords()
    assert len(passwords) == 10_000
    assert {password.casefold() for password in passwords} == passwords
    assert "#1bitch" in passwords
    assert not any(password.startswith("# ") for password in passwords)


async def test_registration_rejects_weak_passwords(client: AsyncClient) -> None:
    assert await register_status(client, "password") == 422
    assert await register_status(client, "example.com") == 422
    assert (await log_in(client, EMAIL, "password")).status_code == 401


async def test_weak_password_is_rejected_before_any_work(
    committing_client: AsyncClient, sql: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await new_user(committing_client)

    def fail(*_: object) -> None:
        raise AssertionError("A password was hashed.")

    monkeypatch.setattr(HashQueue, "run", fail)
    for weak in ("password", EMAIL):
        change = {"password": weak, "current_password": WRONG_PASSWORD}
        response = await update_me(committing_client, headers, **change)
        assert response.status_code == 422
        assert response.json()["errors"][0]["loc"] == ["body", "password"]
        assert await register_status(committing_client, weak) == 422
    assert await count_failures(sql) == 0


async def test_new_password_is_compared_with_both_emails(client: AsyncClient) -> None:
    headers = await new_user(client)
    change = {"email": "lovelace@example.org", "password": "lovelace1"}
    assert (await update_me(client, headers, **change)).status_code == 422
    present = {**change, "password": "example.com"}
    assert (await update_me(client, headers, **present)).status_code == 422
    assert (await update_me(client, headers, **{**change, "email": EMAIL})).status_code == 200


async def test_name_in_the_settings_is_compared_wherever_a_password_is_set(
    app: FastAPI, client: AsyncClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    authentication: Authentication = app.state.authentication
    changed = authentication.settings.model_copy(update={"issuer": SERVICE})
    monkeypatch.setattr(authentication, "settings", changed)
    user_id, _ = await insert_user(app)
    await authenticate(app, client, "users:admin")
    url = f"/api/v1/admin/users/{user_id}/password"
    assert (await client.post(url, json={"password": f"{SERVICE}1"})).status_code == 422
    result = await run("create-user", EMAIL, stdin=f"{SERVICE}1", SERVICE_NAME=SERVICE)
    assert (result.status, result.errors) == (1, f"password: {SERVICE_WORD}\n")


async def test_command_prints_why_a_password_is_rejected(run: Run) -> None:
    result = await run("create-user", EMAIL, stdin="Password1")
    assert (result.status, result.output) == (1, "")
    assert result.errors == f"password: {COMMON}\n"

"""Rotation of signing secrets: the first one signs, and all are accepted."""

import re
from itertools import pairwise
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pydantic import SecretStr

from app.auth.settings import AuthSettings
from app.auth.tokens import AccessTokens, TokenSubject
from app.settings import Settings
from tests.auth.helpers import KEY, ME, bearer, log_in_tokens, new_user, with_auth
from tests.databases import ROOT

OTHER_KEY = KEY[::-1]
KEYS = {"old": KEY, "new": OTHER_KEY}
SUBJECT = TokenSubject(uuid4(), 0)


async def test_token_is_valid_until_its_key_is_removed(
    app: FastAPI, client: AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sign_with(*keys: str) -> None:
        secrets = tuple(SecretStr(key) for key in keys)
        tokens = AccessTokens(with_auth(settings, secrets=secrets).group(AuthSettings))
        monkeypatch.setattr(app.state.authentication, "access_tokens", tokens)

    async def statuses(*headers: dict[str, str]) -> list[int]:
        return [(await client.get(ME, headers=each)).status_code for each in headers]

    old = await new_user(client)
    sign_with(OTHER_KEY, KEY)
    new = bearer(await log_in_tokens(client))
    assert await statuses(old, new) == [200, 200]
    sign_with(OTHER_KEY)
    assert await statuses(old, new) == [401, 200]


def rotate(steps: list[str]) -> list[bool]:
    """Return for each step whether replicas before and after it accept each other's tokens."""
    replicas = [
        AccessTokens(AuthSettings(AUTH_SECRETS=tuple(SecretStr(KEYS[key]) for key in keys)))
        for keys in (step.split(",") for step in steps)
    ]
    return [
        all(
            verifier.verify(issuer.issue(SUBJECT))
            for issuer, verifier in ((before, after), (after, before))
        )
        for before, after in pairwise(replicas)
    ]


def test_documented_rotation_rejects_no_token() -> None:
    document = (ROOT / "docs" / "security.md").read_text("utf-8")
    steps = re.findall(r"^\d\. `AUTH_SECRETS=([a-z,]+)`", document, re.MULTILINE)
    assert steps == ["old,new", "new,old", "new"]
    # The last step waits for the expiry of the tokens that the first two replicas signed.
    assert rotate(["old", *steps]) == [True, True, True]
    assert rotate(["old", "new,old"]) == [False]


@pytest.mark.parametrize("name", [".env.example", "docs/security.md"])
def test_documented_rotation_begins_with_the_old_secret(name: str) -> None:
    orders = re.findall(r"\b(old,new|new,old)\b", (ROOT / name).read_text("utf-8"))
    assert orders[:2] == ["old,new", "new,old"]


def test_without_secrets_each_process_generates_its_own_key() -> None:
    first, second = AccessTokens(AuthSettings()), AccessTokens(AuthSettings())
    token = first.issue(SUBJECT)
    assert first.verify(token) == SUBJECT
    assert second.verify(token) is None

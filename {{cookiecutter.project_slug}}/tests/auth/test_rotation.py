"""Several signing secrets: the first one signs, and all are accepted while they are replaced."""

import re
from itertools import pairwise

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pydantic import SecretStr

from app.auth.tokens import AccessTokens, RefreshToken
from app.settings import AuthSettings, Settings
from tests.auth.helpers import KEY, ME, bearer, new_user, tokens_of, with_auth
from tests.databases import ROOT

OTHER_KEY = KEY[::-1]
KEYS = {"old": KEY, "new": OTHER_KEY}


async def test_tokens_of_an_older_key_are_good_until_it_is_taken_away(
    app: FastAPI, client: AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sign_with(*keys: str) -> None:
        secrets = tuple(SecretStr(key) for key in keys)
        tokens = AccessTokens(with_auth(settings, secrets=secrets).auth)
        monkeypatch.setattr(app.state.authentication, "access_tokens", tokens)

    async def statuses(*headers: dict[str, str]) -> list[int]:
        return [(await client.get(ME, headers=each)).status_code for each in headers]

    old = await new_user(client)
    sign_with(OTHER_KEY, KEY)
    new = bearer(await tokens_of(client))
    assert await statuses(old, new) == [200, 200]
    sign_with(OTHER_KEY)
    assert await statuses(old, new) == [401, 200]


def rotate(steps: list[str]) -> list[bool]:
    """Return, for each step, whether replicas before and after it accept each other's tokens."""
    replicas = [
        AccessTokens(AuthSettings(AUTH_SECRETS=tuple(SecretStr(KEYS[key]) for key in keys)))
        for keys in (step.split(",") for step in steps)
    ]
    return [
        all(
            reader.verify(issuer.issue(RefreshToken.new().family, 0))
            for issuer, reader in ((before, after), (after, before))
        )
        for before, after in pairwise(replicas)
    ]


def test_secrets_are_rotated_as_documented_without_a_refused_token() -> None:
    document = (ROOT / "docs" / "security.md").read_text("utf-8")
    steps = re.findall(r"^\d\. `AUTH_SECRETS=([a-z,]+)`", document, re.MULTILINE)
    assert steps == ["old,new", "new,old", "new"]
    # The last step waits for the expiry of the tokens that the first two replicas signed.
    assert rotate(["old", *steps]) == [True, True, True]
    assert rotate(["old", "new,old"]) == [False]


@pytest.mark.parametrize("name", [".env.example", "docs/security.md"])
def test_every_description_of_a_rotation_begins_with_the_old_secret(name: str) -> None:
    orders = re.findall(r"\b(old,new|new,old)\b", (ROOT / name).read_text("utf-8"))
    assert orders[:2] == ["old,new", "new,old"]


def test_without_a_key_each_process_has_one_of_its_own() -> None:
    user = RefreshToken.new().family
    first, second = AccessTokens(AuthSettings()), AccessTokens(AuthSettings())
    token = first.issue(user, 0)
    assert first.verify(token) == (user, 0)
    assert second.verify(token) is None

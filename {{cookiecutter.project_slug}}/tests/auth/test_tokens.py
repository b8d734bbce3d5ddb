"""Access tokens: all but the right ones are refused, and all with the same words."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import jwt
import pytest
from httpx2 import AsyncClient
from pydantic import SecretStr

from app.auth.tokens import AccessTokens, RefreshToken
from app.settings import SERVICE_NAME, AuthSettings
from tests.auth.helpers import (
    KEY,
    ME,
    assert_unauthorized,
    new_user,
    register,
    tokens_of,
)

OTHER_KEY = KEY[::-1]
LATER = datetime.now(UTC) + timedelta(hours=1)
EARLIER = datetime.now(UTC) - timedelta(minutes=1)


def part(text: bytes) -> str:
    return urlsafe_b64encode(text).decode().rstrip("=")


def changed(**claims: Any) -> Callable[[dict[str, Any]], str]:
    """A token like a good one but for some claims, where None leaves one out."""

    def make(good: dict[str, Any]) -> str:
        values = {name: value for name, value in {**good, **claims}.items() if value is not None}
        payload = jwt.PyJWT()._encode_payload(jwt_times(values))
        return jwt.PyJWS().encode(payload, KEY, "HS256", headers={"typ": "JWT"})

    return make


def jwt_times(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: int(value.timestamp()) if isinstance(value, datetime) else value
        for name, value in values.items()
    }


BAD: dict[str, Callable[[dict[str, Any]], str]] = {
    "no token": lambda _: "",
    "no dots": lambda _: "nonsense",
    "no parts": lambda _: "..",
    "not ASCII": lambda _: "ä.é.ü",
    "a header that is no JSON": lambda _: f"{part(b'{')}.{part(b'{}')}.{part(b'x')}",
    "a header that is no text": lambda _: f"{part(bytes([255]))}.{part(b'{}')}.{part(b'x')}",
    "a header without end": lambda _: f"{part(b'[' * 50_000)}.{part(b'{}')}.{part(b'x')}",
    "no algorithm": lambda good: jwt.encode(good, None, "none"),
    "another algorithm": lambda good: jwt.encode(good, KEY * 2, "HS512"),
    "another key": lambda good: jwt.encode(good, OTHER_KEY, "HS256"),
    "another signature": lambda good: jwt.encode(good, KEY, "HS256")[:-4] + "AAAA",
    "another payload": lambda good: ".".join(
        [
            jwt.encode(good, KEY, "HS256").split(".")[0],
            jwt.encode({**good, "ver": 1}, KEY, "HS256").split(".")[1],
            jwt.encode(good, KEY, "HS256").split(".")[2],
        ]
    ),
    "expired": changed(exp=EARLIER),
    "from the future": changed(iat=LATER),
    **{f"no {name}": changed(**{name: None}) for name in AccessTokens.CLAIMS},
    "another audience": changed(aud="another"),
    "several audiences": changed(aud=[SERVICE_NAME, "another"]),
    "another issuer": changed(iss="another"),
    "a subject that is a number": changed(sub=1),
    "a subject that is a list": changed(sub=["1"]),
    "a subject that is no id": changed(sub="1"),
    "a user that never was": changed(sub="00000000-0000-0000-0000-000000000000"),
    "another version of the credentials": changed(ver=1),
    "a version that is no number": changed(ver="0"),
    "an expiry that is no number": changed(exp="never"),
}


@pytest.fixture
async def good(client: AsyncClient) -> dict[str, Any]:
    """The claims of a good token."""
    await register(client)
    token = (await tokens_of(client))["access_token"]
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def test_a_token_lets_its_user_in(client: AsyncClient, good: dict[str, Any]) -> None:
    again = jwt.encode(good, KEY, "HS256")
    response = await client.get(ME, headers={"Authorization": f"bearer {again}"})
    assert (response.status_code, response.json()["id"]) == (200, good["sub"])
    assert good["exp"] - good["iat"] == 900
    assert good["iss"] == good["aud"] == SERVICE_NAME


async def test_any_other_token_is_refused_with_the_same_words(
    client: AsyncClient, good: dict[str, Any]
) -> None:
    nothing = assert_unauthorized(await client.get(ME))
    for case, bad in BAD.items():
        given = {b"Authorization": f"Bearer {bad(good)}".encode()}
        response = await client.get(ME, headers=given)
        assert assert_unauthorized(response) == nothing, case


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "Token x"])
async def test_any_other_header_is_refused(client: AsyncClient, header: str) -> None:
    nothing = assert_unauthorized(await client.get(ME))
    response = await client.get(ME, headers={"Authorization": header})
    assert assert_unauthorized(response) == nothing


@pytest.mark.parametrize(
    "change", ["DELETE FROM users", "UPDATE users SET is_active = false"], ids=["gone", "inactive"]
)
async def test_a_token_ends_with_its_user(
    committing_client: AsyncClient, sql: asyncpg.Connection, change: str
) -> None:
    nothing = assert_unauthorized(await committing_client.get(ME))
    headers = await new_user(committing_client)
    await sql.execute(change)
    assert assert_unauthorized(await committing_client.get(ME, headers=headers)) == nothing


@pytest.mark.parametrize(
    ("changes", "is_accepted"),
    [
        ({"iat": +1}, True),
        ({"iat": +29}, True),
        ({"iat": +32}, False),
        ({"nbf": +29}, True),
        ({"nbf": +32}, False),
        ({"exp": -28}, True),
        ({"exp": -31}, False),
    ],
)
def test_clocks_may_differ_by_half_a_minute(changes: dict[str, int], is_accepted: bool) -> None:
    tokens = AccessTokens(AuthSettings(AUTH_SECRETS=(SecretStr(KEY),)))
    user = RefreshToken.new().family
    claims = jwt.decode(tokens.issue(user, 0), options={"verify_signature": False})
    now = int(time.time())
    shifted = claims | {name: now + seconds for name, seconds in changes.items()}
    identity = tokens.verify(jwt.encode(shifted, KEY, "HS256"))
    assert identity == ((user, 0) if is_accepted else None)


def test_a_refresh_token_is_read_back_in_one_form_only() -> None:
    token = RefreshToken.new()
    text = str(token)
    assert len(text) == 64
    assert RefreshToken.parse(text) == token
    for other in ("", "x", "é" * 64, text[:-1], text + "=", f"{text}AAAA", f" {text}", text + "\n"):
        assert RefreshToken.parse(other) is None

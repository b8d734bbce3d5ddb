"""Access tokens: invalid ones are rejected, all with the same response."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import jwt
import pytest
from httpx2 import AsyncClient
from pydantic import SecretStr

from app.auth.opaque_tokens import RefreshToken
from app.auth.settings import AuthSettings
from app.auth.tokens import REQUIRED_CLAIMS, AccessTokens, TokenSubject
from app.settings import SERVICE_NAME
from tests.auth.helpers import (
    KEY,
    ME,
    assert_unauthorized,
    log_in_tokens,
    new_user,
    register,
)

OTHER_KEY = KEY[::-1]
NO_KEY: Any = None
LATER = datetime.now(UTC) + timedelta(hours=1)
EARLIER = datetime.now(UTC) - timedelta(minutes=1)


def b64(text: bytes) -> str:
    return urlsafe_b64encode(text).decode().rstrip("=")


def sign(claims: dict[str, Any]) -> str:
    """Sign any claims. Unlike `jwt.encode`, it accepts claims of a wrong type."""
    values = {
        name: int(value.timestamp()) if isinstance(value, datetime) else value
        for name, value in claims.items()
    }
    payload = jwt.PyJWT()._encode_payload(values)
    return jwt.PyJWS().encode(payload, KEY, "HS256", headers={"typ": "JWT"})


def with_claims(**changes: Any) -> Callable[[dict[str, Any]], str]:
    """Return a function that signs valid claims with some changes; None removes a claim."""

    def make_token(valid: dict[str, Any]) -> str:
        claims = {**valid, **changes}
        return sign({name: value for name, value in claims.items() if value is not None})

    return make_token


INVALID_TOKENS: dict[str, Callable[[dict[str, Any]], str]] = {
    "no token": lambda _: "",
    "no dots": lambda _: "nonsense",
    "no parts": lambda _: "..",
    "not ASCII": lambda _: "ä.é.ü",
    "a header that is not JSON": lambda _: f"{b64(b'{')}.{b64(b'{}')}.{b64(b'x')}",
    "a header that is not UTF-8": lambda _: f"{b64(bytes([255]))}.{b64(b'{}')}.{b64(b'x')}",
    "a deeply nested header": lambda _: f"{b64(b'[' * 50_000)}.{b64(b'{}')}.{b64(b'x')}",
    "no algorithm": lambda valid: jwt.encode(valid, NO_KEY, "none"),
    "another algorithm": lambda valid: jwt.encode(valid, KEY * 2, "HS512"),
    "another key": lambda valid: jwt.encode(valid, OTHER_KEY, "HS256"),
    "a key in the header": lambda valid: jwt.encode(
        valid,
        OTHER_KEY,
        "HS256",
        {"jku": "https://example.com", "jwk": {"kty": "oct", "k": b64(OTHER_KEY.encode())}},
    ),
    "another signature": lambda valid: jwt.encode(valid, KEY, "HS256")[:-4] + "AAAA",
    "another payload": lambda valid: ".".join(
        [
            jwt.encode(valid, KEY, "HS256").split(".")[0],
            jwt.encode({**valid, "ver": 1}, KEY, "HS256").split(".")[1],
            jwt.encode(valid, KEY, "HS256").split(".")[2],
        ]
    ),
    "expired": with_claims(exp=EARLIER),
    "from the future": with_claims(iat=LATER),
    **{f"no {name}": with_claims(**{name: None}) for name in REQUIRED_CLAIMS},
    "another audience": with_claims(aud="another"),
    "several audiences": with_claims(aud=[SERVICE_NAME, "another"]),
    "another issuer": with_claims(iss="another"),
    "a subject that is a number": with_claims(sub=1),
    "a subject that is a list": with_claims(sub=["1"]),
    "a subject that is not a UUID": with_claims(sub="1"),
    "an unknown user": with_claims(sub="00000000-0000-0000-0000-000000000000"),
    "another version of the credentials": with_claims(ver=1),
    "a version that is not a number": with_claims(ver="0"),
    "an unknown session": with_claims(sid="00000000-0000-0000-0000-000000000000"),
    "a session that is not a UUID": with_claims(sid="1"),
    "a session that is a number": with_claims(sid=1),
    "an expiry that is not a number": with_claims(exp="never"),
}


@pytest.fixture
async def valid_claims(client: AsyncClient) -> dict[str, Any]:
    """Return the claims of an access token that the service issued."""
    await register(client)
    token = (await log_in_tokens(client))["access_token"]
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def test_valid_token_authenticates_its_user(
    client: AsyncClient, valid_claims: dict[str, Any]
) -> None:
    token = jwt.encode(valid_claims, KEY, "HS256")
    response = await client.get(ME, headers={"Authorization": f"bearer {token}"})
    assert (response.status_code, response.json()["id"]) == (200, valid_claims["sub"])
    assert valid_claims["exp"] - valid_claims["iat"] == 900
    assert valid_claims["iss"] == valid_claims["aud"] == SERVICE_NAME


async def test_all_invalid_tokens_get_the_same_response(
    client: AsyncClient, valid_claims: dict[str, Any]
) -> None:
    without_token = assert_unauthorized(await client.get(ME))
    for case, make_token in INVALID_TOKENS.items():
        headers = {b"Authorization": f"Bearer {make_token(valid_claims)}".encode()}
        response = await client.get(ME, headers=headers)
        assert assert_unauthorized(response) == without_token, case


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "Token x"])
async def test_other_authorization_header_is_rejected(client: AsyncClient, header: str) -> None:
    without_token = assert_unauthorized(await client.get(ME))
    response = await client.get(ME, headers={"Authorization": header})
    assert assert_unauthorized(response) == without_token


@pytest.mark.parametrize(
    "change",
    ["DELETE FROM users", "UPDATE users SET is_active = false"],
    ids=["gone", "inactive"],
)
async def test_token_of_a_deleted_or_inactive_user_is_rejected(
    committing_client: AsyncClient, sql: asyncpg.Connection, change: str
) -> None:
    without_token = assert_unauthorized(await committing_client.get(ME))
    headers = await new_user(committing_client)
    await sql.execute(change)
    assert assert_unauthorized(await committing_client.get(ME, headers=headers)) == without_token


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
def test_clocks_may_differ_by_thirty_seconds(changes: dict[str, int], is_accepted: bool) -> None:
    tokens = AccessTokens(AuthSettings(AUTH_SECRETS=(SecretStr(KEY),)))
    subject = TokenSubject(uuid4(), 0)
    claims = jwt.decode(tokens.issue(subject), options={"verify_signature": False})
    now = int(time.time())
    shifted = claims | {name: now + seconds for name, seconds in changes.items()}
    verified = tokens.verify(jwt.encode(shifted, KEY, "HS256"))
    assert verified == (subject if is_accepted else None)


def test_refresh_token_has_only_one_valid_spelling() -> None:
    token = RefreshToken.new()
    text = token.encode()
    assert len(text) == 64
    assert RefreshToken.parse(text) == token
    for other in ("", "x", "é" * 64, text[:-1], text + "=", f"{text}AAAA", f" {text}", text + "\n"):
        assert RefreshToken.parse(other) is None

"""The settings of authentication: production takes no secret that somebody may guess."""

import logging
import re
import secrets
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.auth.signing_secrets import find_weakness
from app.main import create_app
from app.settings import AuthSettings, Settings, SettingsError, load_settings
from tests.auth.users import KEY, with_auth
from tests.databases import ROOT

WEAK = [
    "short",
    KEY[:31],
    KEY * 2,
    "x" * 40,
    "12345678901234567890123456789012",
    "98765432109876543210987654321098",
    "abcdefghijklmnopqrstuvwxyzabcdefgh",
    "zyxwvutsrqponmlkjihgfedcba987654321",
    "qwertyuiopasdfghjklzxcvbnm123456",
    "!QAZ2wsx#EDC4rfv%TGB6yhn&UJM8ik<",
    "asdfghjkl;asdfghjkl;asdfghjkl;qwer",
    "asdkjhasdkjhaskdjhaksjdhaksjdhaksjdh",
    "aabbccddeeffgghhiijjkkllmmnnoopp",
    "aaaaaaaabbbbbbbbccccccccdddddddd",
    "1a2b3c4d5e6f7g8h9i0j1a2b3c4d5e6f",
    "000102030405060708090a0b0c0d0e0f",
    "00000000-0000-0000-0000-000000000000",
    "ab12" * 8 + "x",
    "your-256-bit-key-goes-here-please!",
    "a-string-secret-at-least-256-bits-long",
    "your_jwt_key_goes_here_1234567890",
    "my-jwt-signing-key-for-production-2026",
    "MyVeryOwnJwtKeyForProduction2026",
    "My-Sup3r-S3cr3t-K3y-F0r-Jwt-T0k3ns",
    "this-is-my-very-long-and-strong-key",
    "thisisaverylongandsecurekeyforjwttokens",
    "todo: put a real key here before production",
    "insert-your-key-here-insert-your-key",
    "dummy-dummy-dummy-dummy-dummy-key",
    "test-test-test-test-test-test-test",
    "default-jwt-key-for-development-only",
    "the quick brown fox jumps over the lazy dog",
    b64encode(b"my-jwt-signing-key-for-production").decode(),
    "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "0123456789abcdef" * 4,
    "changeme-changeme-changeme-2024-x",
    "my-very-own-Secret-that-nobody-knows",
    "password1234567890abcdefghijklmnopq",
    "your-example-key-0123456789-abcdefg",
    "replace-this-by-what-openssl-prints",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
]


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.parametrize("secret", WEAK)
def test_a_secret_that_can_be_guessed_is_refused(
    monkeypatch: pytest.MonkeyPatch, environment: str, secret: str
) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    monkeypatch.delenv("AUTH_HASH_MEMORY")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@localhost/name")
    for given in (secret, f"{KEY},{secret}", f'["{secret}"]'):
        monkeypatch.setenv("AUTH_SECRETS", given)
        with pytest.raises(SettingsError) as raised:
            create_app()
        assert "AUTH_SECRETS" in str(raised.value)
        assert "secrets.token_urlsafe(48)" in str(raised.value)
        assert secret not in str(raised.value)
        assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "generate",
    [
        lambda: secrets.token_urlsafe(24),
        lambda: secrets.token_urlsafe(48),
        lambda: secrets.token_hex(16),
        lambda: secrets.token_hex(32),
        lambda: b64encode(secrets.token_bytes(32)).decode(),
        lambda: f"{uuid4()}{uuid4()}",
    ],
    ids=["urlsafe 24", "urlsafe 48", "hex 16", "hex 32", "base64", "uuid"],
)
def test_a_generated_secret_is_accepted(generate: Callable[[], str]) -> None:
    for _ in range(200):
        secret = generate()
        assert find_weakness(secret) is None, secret


@pytest.mark.parametrize("given", [None, "", ",", "[]"])
def test_production_does_not_start_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.delenv("AUTH_HASH_MEMORY")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@localhost/name")
    if given is not None:
        monkeypatch.setenv("AUTH_SECRETS", given)
    with pytest.raises(SettingsError, match=r"AUTH_SECRETS.*secrets\.token_urlsafe\(48\)"):
        create_app()


def test_several_secrets_are_taken_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.delenv("AUTH_HASH_MEMORY")
    monkeypatch.setenv("AUTH_SECRETS", f"{KEY}, {KEY[::-1]}")
    taken = load_settings().auth.secrets
    assert [secret.get_secret_value() for secret in taken] == [KEY, KEY[::-1]]
    assert KEY not in repr(load_settings()) + str(load_settings())


@pytest.mark.parametrize("pattern", ["*", "docs/*", "kubernetes/*", ".github/workflows/*"])
def test_no_file_has_a_secret_that_is_taken(monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    given = re.compile(r"""AUTH_SECRETS["']?[:=] *("[^"]*"|'[^']*'|[^\s`"']*)""")
    for path in filter(Path.is_file, ROOT.glob(pattern)):
        if path.name == ".env":
            continue
        for value in given.findall(path.read_text("utf-8", errors="replace")):
            # What a shell or Compose puts in is in no file.
            if not value.startswith("$"):
                monkeypatch.setenv("AUTH_SECRETS", value.strip("\"'"))
                with pytest.raises(SettingsError, match="AUTH_SECRETS"):
                    load_settings()


@pytest.mark.parametrize(("secrets", "warnings"), [((), 1), ((SecretStr(KEY),), 0)])
async def test_a_makeshift_secret_is_told_at_the_start(
    settings: Settings, caplog: pytest.LogCaptureFixture, secrets: tuple[SecretStr], warnings: int
) -> None:
    app: FastAPI = create_app(with_auth(settings, secrets=secrets))
    handlers = logging.getLogger().handlers[:]
    with caplog.at_level(logging.WARNING):
        async with app.router.lifespan_context(app):
            pass
    logging.getLogger().handlers[:] = handlers
    assert [record.levelname for record in caplog.records] == ["WARNING"] * warnings
    assert caplog.text.count("AUTH_SECRETS is not set") == warnings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH_ACCESS_TOKEN_TTL", "0"),
        ("AUTH_REFRESH_TOKEN_TTL", "1.5"),
        ("AUTH_MAX_FAILURES", "0"),
        ("AUTH_FAILURE_WINDOW", "-1"),
        ("AUTH_HASH_MEMORY", "1"),
        ("AUTH_HASH_THREADS", "0"),
    ],
)
def test_a_number_that_cannot_be_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: "):
        load_settings()


@pytest.mark.parametrize("memory", ["65536", "32768", "19922943"])
def test_production_refuses_less_memory_than_recommended(
    monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    monkeypatch.setenv("AUTH_HASH_MEMORY", memory)
    monkeypatch.setenv("AUTH_SECRETS", KEY)
    assert load_settings().auth.hash_memory == int(memory)
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(SettingsError, match=r"^AUTH_HASH_MEMORY: .*19922944.* bytes"):
        load_settings()
    monkeypatch.setenv("AUTH_HASH_MEMORY", "19922944")
    assert load_settings().auth.hash_memory == 19 * 1024**2


def test_every_weak_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("AUTH_HASH_MEMORY", "65536")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert re.findall(r"^AUTH_\w+", str(raised.value), re.MULTILINE) == [
        "AUTH_SECRETS",
        "AUTH_HASH_MEMORY",
    ]


@pytest.mark.parametrize("environment", ["development", "production"])
def test_the_unit_of_memory_is_named(monkeypatch: pytest.MonkeyPatch, environment: str) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    monkeypatch.setenv("AUTH_SECRETS", KEY)
    monkeypatch.setenv("AUTH_HASH_MEMORY", "19456")
    with pytest.raises(SettingsError, match=r"^AUTH_HASH_MEMORY: .* bytes, not KiB$"):
        load_settings()


def test_passwords_cost_what_the_standard_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MEMORY", "PASSES", "LANES"):
        monkeypatch.delenv(f"AUTH_HASH_{name}")
    settings = AuthSettings()
    assert (settings.hash_memory, settings.hash_passes, settings.hash_lanes) == (2**26, 3, 4)

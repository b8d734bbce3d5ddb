"""Signing secrets: generated ones are accepted, typed and copied ones are rejected."""

import re
import secrets
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from app.auth.signing_secrets import find_weakness
from app.main import create_app
from app.settings import SettingsError, load_settings
from tests.auth.helpers import KEY
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
    b64encode(b"password" * 4).decode().rstrip("="),
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
def test_weak_secret_is_rejected_without_printing_it(
    monkeypatch: pytest.MonkeyPatch, environment: str, secret: str
) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    monkeypatch.delenv("AUTH_ARGON2_MEMORY_COST")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@localhost/name")
    for value in (secret, f"{KEY},{secret}", f'["{secret}"]'):
        monkeypatch.setenv("AUTH_SECRETS", value)
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
def test_generated_secret_is_accepted(generate: Callable[[], str]) -> None:
    for _ in range(200):
        secret = generate()
        assert find_weakness(secret) is None, secret


@pytest.mark.parametrize("pattern", ["*", "docs/*", "kubernetes/*", ".github/workflows/*"])
def test_files_contain_no_usable_secret(monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    assignment = re.compile(r"""AUTH_SECRETS["']?[:=] *("[^"]*"|'[^']*'|[^\s`"']*)""")
    for path in filter(Path.is_file, ROOT.glob(pattern)):
        if path.name == ".env":
            continue
        for value in assignment.findall(path.read_text("utf-8", errors="replace")):
            # A variable of the shell or of Compose, not a secret.
            if not value.startswith("$"):
                monkeypatch.setenv("AUTH_SECRETS", value.strip("\"'"))
                with pytest.raises(SettingsError, match="AUTH_SECRETS"):
                    load_settings()

"""The settings of authentication: production takes no secret that somebody may guess."""

import logging
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.main import create_app
from app.settings import AuthSettings, Settings, SettingsError, load_settings
from tests.auth.users import KEY, with_auth
from tests.databases import ROOT

WEAK = [
    "short",
    KEY[:31],
    "x" * 40,
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
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@localhost/name")
    for given in (secret, f"{KEY},{secret}", f'["{secret}"]'):
        monkeypatch.setenv("AUTH_SECRETS", given)
        with pytest.raises(SettingsError) as raised:
            create_app()
        assert "AUTH_SECRETS" in str(raised.value)
        assert "secrets.token_urlsafe(48)" in str(raised.value)
        assert secret not in str(raised.value)
        assert KEY not in str(raised.value)


@pytest.mark.parametrize("given", [None, "", ",", "[]"])
def test_production_does_not_start_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@localhost/name")
    if given is not None:
        monkeypatch.setenv("AUTH_SECRETS", given)
    with pytest.raises(SettingsError, match=r"AUTH_SECRETS.*secrets\.token_urlsafe\(48\)"):
        create_app()


def test_several_secrets_are_taken_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("AUTH_SECRETS", f"{KEY}, {KEY[::-1]}")
    secrets = load_settings().auth.secrets
    assert [secret.get_secret_value() for secret in secrets] == [KEY, KEY[::-1]]
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


def test_passwords_cost_what_the_standard_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MEMORY", "PASSES", "LANES"):
        monkeypatch.delenv(f"AUTH_HASH_{name}")
    settings = AuthSettings()
    assert (settings.hash_memory, settings.hash_passes, settings.hash_lanes) == (2**26, 3, 4)

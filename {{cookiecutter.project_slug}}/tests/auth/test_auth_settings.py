"""The settings of authentication: production takes no secret that somebody may guess."""

import logging
import re

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.main import create_app
from app.settings import AuthSettings, Settings, SettingsError, load_settings
from tests.auth.helpers import KEY, with_auth


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

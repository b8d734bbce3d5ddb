"""`AuthSettings`: weak or missing values are rejected in production, renamed ones everywhere."""

import logging
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.auth.settings import AuthSettings
from app.main import create_app
from app.settings import Settings, SettingsError, load_settings
from app.settings_base import SettingsGroup, load_group
from tests.auth.helpers import KEY, with_auth

RENAMED = {
    "AUTH_HASH_MEMORY": "AUTH_ARGON2_MEMORY_COST, which is in KiB instead of bytes",
    "AUTH_HASH_PASSES": "AUTH_ARGON2_TIME_COST",
    "AUTH_HASH_LANES": "AUTH_ARGON2_PARALLELISM",
    "AUTH_HASH_THREADS": "AUTH_HASH_CONCURRENCY",
}


@pytest.mark.parametrize("value", [None, "", ",", "[]"])
def test_production_requires_a_secret(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.delenv("AUTH_ARGON2_MEMORY_COST")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@localhost/name")
    if value is not None:
        monkeypatch.setenv("AUTH_SECRETS", value)
    with pytest.raises(SettingsError, match=r"AUTH_SECRETS.*secrets\.token_urlsafe\(48\)"):
        create_app()


def test_secrets_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.delenv("AUTH_ARGON2_MEMORY_COST")
    monkeypatch.setenv("AUTH_SECRETS", f"{KEY}, {KEY[::-1]}")
    settings = load_group(AuthSettings)
    assert [secret.get_secret_value() for secret in settings.secrets] == [KEY, KEY[::-1]]
    assert KEY not in repr(settings) + str(settings)


@pytest.mark.parametrize(("secrets", "warnings"), [((), 1), ((SecretStr(KEY),), 0)])
async def test_missing_secrets_are_logged_at_startup(
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
        ("AUTH_ARGON2_MEMORY_COST", "1"),
        ("AUTH_ARGON2_PARALLELISM", "5"),
        ("AUTH_HASH_CONCURRENCY", "0"),
        ("AUTH_HASH_QUEUE", "-1"),
        ("AUTH_SESSION_TTL", "0"),
    ],
)
def test_invalid_number_is_rejected(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: "):
        load_settings()


@pytest.mark.parametrize("memory_cost", ["64", "19455"])
def test_production_requires_the_recommended_memory_cost(
    monkeypatch: pytest.MonkeyPatch, memory_cost: str
) -> None:
    monkeypatch.setenv("AUTH_ARGON2_MEMORY_COST", memory_cost)
    monkeypatch.setenv("AUTH_SECRETS", KEY)
    assert load_group(AuthSettings).argon2_memory_cost == int(memory_cost)
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(SettingsError, match=r"^AUTH_ARGON2_MEMORY_COST: .*19456.* KiB$"):
        load_group(AuthSettings)
    monkeypatch.setenv("AUTH_ARGON2_MEMORY_COST", "19456")
    assert load_group(AuthSettings).argon2_memory_cost * 1024 == 19 * 1024**2


@pytest.mark.parametrize("environment", ["development", "production"])
def test_memory_cost_in_bytes_is_rejected_with_the_unit(
    monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    monkeypatch.setenv("ENVIRONMENT", environment)
    monkeypatch.setenv("AUTH_SECRETS", KEY)
    monkeypatch.setenv("AUTH_ARGON2_MEMORY_COST", "67108864")
    with pytest.raises(SettingsError, match=r"^AUTH_ARGON2_MEMORY_COST: must be .* KiB$"):
        load_group(AuthSettings)


def test_all_weak_settings_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("AUTH_ARGON2_MEMORY_COST", "64")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert re.findall(r"^AUTH_\w+", str(raised.value), re.MULTILINE) == [
        "AUTH_SECRETS",
        "AUTH_ARGON2_MEMORY_COST",
    ]


def test_default_argon2_parameters_follow_rfc_9106(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MEMORY_COST", "TIME_COST", "PARALLELISM"):
        monkeypatch.delenv(f"AUTH_ARGON2_{name}")
    settings = AuthSettings()
    assert settings.argon2_memory_cost == 64 * 1024
    assert (settings.argon2_time_cost, settings.argon2_parallelism) == (3, 4)


@pytest.mark.parametrize("name", RENAMED)
@pytest.mark.parametrize("source", ["environment", "lower case", "file"])
def test_renamed_setting_is_rejected_with_its_new_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, name: str
) -> None:
    if source == "file":
        (tmp_path / ".env").write_text(f"{name}=3\n", "utf-8")
        monkeypatch.setattr(SettingsGroup, "env_file", tmp_path / ".env")
    else:
        monkeypatch.setenv(name.lower() if source == "lower case" else name, "3")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert str(raised.value) == f"{name}: renamed to {RENAMED[name]}"


def test_renamed_setting_is_listed_with_other_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_HASH_PASSES", "3")
    monkeypatch.setenv("AUTH_MAX_FAILURES", "0")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert {line.split(":")[0] for line in str(raised.value).splitlines()} == {
        "AUTH_HASH_PASSES",
        "AUTH_MAX_FAILURES",
        "LOG_LEVEL",
    }


def test_empty_renamed_setting_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_HASH_PASSES", "")
    assert load_settings().group(AuthSettings).argon2_time_cost == 1

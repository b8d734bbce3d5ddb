"""Settings: sources, defaults, and errors that name variables but no values."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import ServiceSettings, SettingsError, load_settings, settings_groups
from app.settings_base import SettingsGroup
from dev.default_settings import setting_names
from tests.databases import ROOT, database_settings

URL = "postgresql://me:hush@localhost/name"


def test_env_example_lists_all_settings_with_their_defaults() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    listed = dict(re.findall(r"^# ([A-Z0-9_]+)=(.*)$", text, re.MULTILINE))
    others = {"HOST", "PORT", "TEST_DATABASE_URL"}
    assert listed.keys() - others == setting_names()
    for group in settings_groups():
        for name, field in group.model_fields.items():
            variable = str(field.alias or name.upper())
            if isinstance(field.default, str | int | float) and not isinstance(field.default, bool):
                assert listed[variable] == str(field.default), variable


def test_env_example_is_valid_when_uncommented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    assignments = [line[2:] for line in lines if re.match(r"# [A-Z0-9_]+=", line)]
    # Only one of DATABASE_URL and POSTGRES_* may be set.
    with_url = [line for line in assignments if not line.startswith("POSTGRES_")]
    (tmp_path / ".env").write_text("\n".join(with_url), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SettingsGroup, "env_file", Path(".env"))
    assert load_settings().database.url is not None


def test_environment_takes_precedence_over_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=ERROR\nDEBUG=true\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SettingsGroup, "env_file", Path(".env"))
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    settings = ServiceSettings()
    assert (settings.log_level, settings.debug) == ("WARNING", True)


def test_error_lists_all_problems_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud-and-secret")
    monkeypatch.setenv("DB_POOL_MAX_SIZE", "many-and-secret")
    monkeypatch.setenv("DB_LOCK_TIMEOUT", "0")
    with pytest.raises(SettingsError) as raised:
        create_app()
    message = str(raised.value)
    assert {line.split(":")[0] for line in message.splitlines()} == {
        "LOG_LEVEL",
        "DB_POOL_MAX_SIZE",
        "DB_LOCK_TIMEOUT",
    }
    assert "secret" not in message


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({}, ["DATABASE_URL"]),
        ({"DATABASE_URL": URL, "POSTGRES_HOST": "db"}, ["DATABASE_URL", "POSTGRES_HOST"]),
        ({"POSTGRES_USER": "me"}, ["POSTGRES_HOST", "POSTGRES_USER"]),
        (
            {"DATABASE_URL": URL, "DB_POOL_MIN_SIZE": "9", "DB_POOL_MAX_SIZE": "3"},
            ["DB_POOL_MIN_SIZE", "DB_POOL_MAX_SIZE"],
        ),
        ({"DATABASE_URL": URL, "ENVIRONMENT": "production", "DEBUG": "true"}, ["DEBUG"]),
    ],
)
def test_missing_or_conflicting_settings_are_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], names: list[str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        create_app()
    for name in names:
        assert name in str(raised.value)
    assert "hush" not in str(raised.value)


def test_variables_without_prefix_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "HOST", "PORT", "USER", "PASSWORD", "NAME", "DATABASE"):
        monkeypatch.setenv(name, "1")
    assert not load_settings().database.is_configured


@pytest.mark.parametrize(
    "value", ["https://a.example, https://b.example", '["https://a.example", "https://b.example"]']
)
def test_list_is_comma_separated_or_json(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CORS_ORIGINS", value)
    assert ServiceSettings().cors_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize("name", ["CORS_ALLOW_HEADERS", "CORS_EXPOSE_HEADERS"])
def test_invalid_header_name_is_rejected(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "If-Match, X\r\nY: z")
    with pytest.raises(SettingsError, match=f"^{name}: "):
        load_settings()


@pytest.mark.slow
def test_failed_start_in_production_logs_one_json_line() -> None:
    command = [sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", "0"]
    variables = {"ENVIRONMENT": "production", "DATABASE_URL": URL, "DB_POOL_TIMEOUT": "hush"}
    result = subprocess.run(
        command,
        cwd=ROOT / "docs",
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert json.loads(line)["level"] == "CRITICAL"
    assert "DB_POOL_TIMEOUT" in json.loads(line)["message"]
    assert "hush" not in line


def test_docs_are_off_in_production_by_default() -> None:
    assert not ServiceSettings(environment="production").serves_docs
    assert ServiceSettings(environment="production", docs_enabled=True).serves_docs
    assert ServiceSettings().serves_docs


def test_password_is_hidden_in_representations() -> None:
    assert "hush" not in repr(database_settings(URL)) + str(database_settings(URL))

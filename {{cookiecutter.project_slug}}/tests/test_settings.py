"""Settings: from the environment and `.env`, and clear about what is wrong in them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import ServiceSettings, SettingsError, load_settings
from app.settings_base import SettingsGroup
from tests.databases import ROOT, settings_for
from tests.service_settings import GROUPS, setting_names

URL = "postgresql://me:hush@localhost/name"


def test_the_example_lists_every_setting_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    listed = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", text, re.MULTILINE))
    others = {"HOST", "PORT", "TEST_DATABASE_URL"}
    assert listed.keys() - others == setting_names()
    for group in GROUPS:
        for name, field in group.model_fields.items():
            variable = str(field.alias or name.upper())
            if isinstance(field.default, str | int | float) and not isinstance(field.default, bool):
                assert listed[variable] == str(field.default), variable


def test_every_line_of_the_example_can_be_uncommented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    set_lines = [line[2:] for line in lines if re.match(r"# [A-Z_]+=", line)]
    one_database = [line for line in set_lines if not line.startswith("POSTGRES_")]
    (tmp_path / ".env").write_text("\n".join(one_database), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SettingsGroup, "env_file", Path(".env"))
    assert load_settings().database.url is not None


def test_the_environment_goes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=ERROR\nDEBUG=true\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SettingsGroup, "env_file", Path(".env"))
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    settings = ServiceSettings()
    assert (settings.log_level, settings.debug) == ("WARNING", True)


def test_all_problems_are_named_at_once_and_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
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
    ("variables", "named"),
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
def test_what_does_not_go_together_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: list[str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        create_app()
    for name in named:
        assert name in str(raised.value)
    assert "hush" not in str(raised.value)


def test_only_the_names_that_are_listed_mean_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "HOST", "PORT", "USER", "PASSWORD", "NAME", "DATABASE"):
        monkeypatch.setenv(name, "1")
    assert not load_settings().database.is_configured


@pytest.mark.parametrize(
    "given", ["https://a.example, https://b.example", '["https://a.example", "https://b.example"]']
)
def test_a_list_is_separated_by_commas_or_json(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("CORS_ORIGINS", given)
    assert ServiceSettings().cors_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize("name", ["CORS_ALLOW_HEADERS", "CORS_EXPOSE_HEADERS"])
def test_the_name_of_a_header_is_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "If-Match, X\r\nY: z")
    with pytest.raises(SettingsError, match=f"^{name}: "):
        load_settings()


@pytest.mark.slow
def test_a_refused_start_in_production_is_one_line_of_json() -> None:
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


def test_documentation_is_off_in_production_unless_asked_for() -> None:
    assert not ServiceSettings(environment="production").serves_docs
    assert ServiceSettings(environment="production", docs_enabled=True).serves_docs
    assert ServiceSettings().serves_docs


def test_a_password_shows_in_no_representation() -> None:
    assert "hush" not in repr(settings_for(URL)) + str(settings_for(URL))

"""Credentials that asyncpg reads from the environment and from files are checked at startup."""

import getpass
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import SettingsError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set a home directory that contains only an empty `.postgresql` folder."""
    for name in ("PGUSER", "PGPASSFILE", "PGSSLMODE", "PGSSLCERT", "PGSSLKEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / ".postgresql").mkdir()
    return tmp_path


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found: 4242"), OSError("No name")])
def test_missing_user_name_is_reported(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def getuser() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", getuser)
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/name")
    with pytest.raises(SettingsError, match="DATABASE_URL names no user"):
        create_app()
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("POSTGRES_HOST", "localhost")
    with pytest.raises(SettingsError, match="POSTGRES_USER is missing"):
        create_app()
    monkeypatch.setenv("PGUSER", "me")
    create_app()


def test_unreadable_certificate_is_reported(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@localhost/name")
    create_app()
    # A folder instead of a file, because root can read any file.
    certificate = home / ".postgresql" / "postgresql.crt"
    certificate.mkdir()
    with pytest.raises(SettingsError, match=r"postgresql\.crt.*HOME.*PGSSLCERT"):
        create_app()
    for url in ("postgresql://me@localhost/name?sslmode=disable", "postgresql://me@/name"):
        monkeypatch.setenv("DATABASE_URL", url)
        create_app()


def test_unreadable_key_is_reported_if_its_certificate_exists(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@localhost/name")
    key = home / ".postgresql" / "postgresql.key"
    key.mkdir()
    create_app()
    key.with_suffix(".crt").touch()
    with pytest.raises(SettingsError, match=r"postgresql\.key.*HOME.*PGSSLKEY"):
        create_app()


@pytest.mark.parametrize("option", ["sslcert", "sslkey", "sslrootcert", "sslcrl"])
def test_missing_file_is_reported(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    url = "postgresql://me:hush@localhost/name?sslmode=require"
    monkeypatch.setenv("DATABASE_URL", f"{url}&{option}=/nowhere/file")
    with pytest.raises(SettingsError, match=f"DATABASE_URL: {option}=/nowhere/file: No") as raised:
        create_app()
    assert "hush" not in str(raised.value)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv(f"PG{option.upper()}", "/nowhere/file")
    with pytest.raises(SettingsError, match=f"PG{option.upper()}=/nowhere/file: No"):
        create_app()


def test_unreadable_password_file_is_reported(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", str(home))
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hush@localhost/name")
    create_app()
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@localhost/name")
    with pytest.raises(SettingsError, match=f"PGPASSFILE={home}"):
        create_app()

"""`.env`: values are taken literally, and ambiguous lines are rejected with their number."""

from pathlib import Path

import pytest

from app.env_file import EnvFileError, read_env_file
from app.main import create_app
from app.settings import SettingsError, load_settings
from app.settings_base import SettingsGroup, load_group
from dev.settings import ListenSettings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a `.env` that all settings read; in other tests they read none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SettingsGroup, "env_file", Path(".env"))
    return tmp_path / ".env"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("pa${HOME}ss", "pa${HOME}ss"),
        ("'pa${HOME}ss #x'", "pa${HOME}ss #x"),
        ('"pa${HOME}ss #x"', "pa${HOME}ss #x"),
        ("'a' # a comment", "a"),
        ("$HOME%(x)s\\n#x=y", "$HOME%(x)s\\n#x=y"),
        ("it's", "it's"),
        (r"'it\'s a \ and a \\ #x'", r"it's a \ and a \ #x"),
        ("é日😀", "é日😀"),
    ],
)
def test_value_is_taken_literally(file: Path, written: str, value: str) -> None:
    file.write_text(
        f"# a = b # c\n\nexport POSTGRES_HOST = db\nPOSTGRES_PASSWORD={written}\n", "utf-8"
    )
    settings = load_settings().database
    assert settings.password is not None
    assert settings.password.get_secret_value() == value
    assert settings.host == "db"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_windows_file_is_read(file: Path, encoding: str, newline: str) -> None:
    file.write_text("HOST=::1\nPOSTGRES_HOST=db\n", encoding, newline=newline)
    assert (load_group(ListenSettings).host, load_settings().database.host) == ("::1", "db")


@pytest.mark.parametrize(
    "written",
    [
        b'"secret',
        b"'secret",
        b'"secret" word',
        b'"secret\\table"',
        b"'secret\nB=secret'",
        b"secret #word",
        b" # secret",
        "sécret".encode("latin-1"),
    ],
)
def test_ambiguous_line_is_rejected(file: Path, written: bytes) -> None:
    file.write_bytes(b"HOST=127.0.0.1\n\n# two\nPOSTGRES_PASSWORD=" + written + b"\nPORT=1\n")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert str(raised.value).startswith(".env, line 4: ")
    assert "cret" not in str(raised.value)
    with pytest.raises(SettingsError, match=r"^\.env, line 4: "):
        load_group(ListenSettings)


def test_failed_start_logs_the_line(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text('POSTGRES_PASSWORD="secret\n', "utf-8")
    with pytest.raises(SettingsError, match=r"^\.env, line 1: "):
        create_app()
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


def test_line_without_value_is_rejected(file: Path) -> None:
    file.write_text("POSTGRES_HOST=db\nPOSTGRES_PASSWORD\n", "utf-8")
    with pytest.raises(SettingsError, match=r"^\.env, line 2: "):
        load_settings()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_other_encoding_is_rejected(file: Path, encoding: str) -> None:
    file.write_text("POSTGRES_HOST=db\n", encoding)
    with pytest.raises(SettingsError, match=r"^\.env.* not UTF-8"):
        load_settings()


def test_directory_instead_of_file_is_an_error(file: Path) -> None:
    file.mkdir()
    with pytest.raises(SettingsError, match=r"^\.env cannot be read: "):
        load_settings()


def test_file_without_permission_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_permission_error(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", raise_permission_error)
    with pytest.raises(EnvFileError, match=r"^\.env cannot be read: Permission denied$"):
        read_env_file(Path(".env"))


def test_missing_file_is_ignored(file: Path) -> None:
    assert not file.exists()
    assert not load_settings().database.is_configured

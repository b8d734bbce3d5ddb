"""Alembic's command line, as an operator runs it."""

import asyncio
import logging
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from traceback import format_exception

import pytest
from alembic.config import Config, main
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from tests.databases import CONFIG, ROOT, connected
from tests.upgrades import upgrade, upgrade_at_once

INDEXES = "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indisvalid"
REVISION = """
from alembic import op

revision = "revision_of_tests"
down_revision = {head!r}
{body}
"""
# No table of a project has this name.
NAME = "rows_of_tests"
TABLE = f"CREATE TABLE {NAME} (name text)"

CommandLine = Callable[..., Awaitable[None]]


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Run a command in this process, whose loggers stay as they are."""
    monkeypatch.setattr("app.log_config.configure_logging", lambda _: None)

    async def run(address: str, config: Path, *arguments: str) -> None:
        monkeypatch.setenv("DATABASE_URL", address)
        await asyncio.to_thread(main, ["-c", str(config), "--raiseerr", *arguments])

    return run


@pytest.fixture
def own_config(tmp_path: Path) -> Path:
    """The migrations and one more, which `docs/migrations.md` shows, in a folder of any name."""
    folder = tmp_path / "50%(here)s 'é"
    shutil.copytree(ROOT / "migrations", folder / "migrations")
    shutil.copy(CONFIG, folder)
    head = ScriptDirectory.from_config(Config(toml_file=CONFIG)).get_current_head()
    example = (ROOT / "docs" / "migrations.md").read_text("utf-8").split("```")
    [body] = [block.removeprefix("python") for block in example if block.startswith("python")]
    own = folder / "migrations" / "versions" / "revision_of_tests.py"
    own.write_text(REVISION.format(head=head, body=body.replace("tags", NAME)), "utf-8")
    return folder / CONFIG.name


@pytest.mark.slow
async def test_several_at_once_make_one_history_from_whatever_folder(
    empty_database: str, tmp_path: Path
) -> None:
    results = await upgrade_at_once(empty_database, CONFIG, [ROOT / "docs", tmp_path], tmp_path)
    assert [result.status for result in results] == [0, 0], results
    said = [result.output for result in results]
    # What each of them did, or that there was nothing left to do.
    assert all("Running upgrade" in text or "already up to date" in text for text in said)
    assert sum("Running upgrade" in text for text in said) <= 1


@pytest.mark.slow
async def test_an_index_is_created_concurrently_by_one_of_several(
    empty_database: str, own_config: Path, command_line: CommandLine, tmp_path: Path
) -> None:
    async with connected(empty_database) as connection:
        await connection.execute(TABLE)
        results = await upgrade_at_once(empty_database, own_config, [ROOT / "docs"] * 3, tmp_path)
        assert [result.status for result in results] == [0, 0, 0], results
        assert f"ix_{NAME}_name" in {row["relname"] for row in await connection.fetch(INDEXES)}
        await command_line(empty_database, own_config, "downgrade", "-1")
        assert f"ix_{NAME}_name" not in {row["relname"] for row in await connection.fetch(INDEXES)}


@pytest.mark.slow
async def test_an_older_release_has_nothing_to_do(
    empty_database: str, command_line: CommandLine, tmp_path: Path
) -> None:
    async with connected(empty_database) as connection:
        await connection.execute("CREATE TABLE alembic_version (version_num text)")
        await connection.execute("INSERT INTO alembic_version VALUES ('from_a_newer_release')")
        done = await asyncio.to_thread(
            upgrade, empty_database, CONFIG, ROOT / "docs", tmp_path / "log"
        )
        assert done.status == 0, done.output
        assert "from_a_newer_release, which this release does not know" in done.output
        assert await connection.fetchval("SELECT * FROM alembic_version") == "from_a_newer_release"
    # Anything else that cannot be done is still an error.
    for command in ("downgrade", "base"), ("upgrade", "no_such_revision"):
        with pytest.raises(CommandError, match="Can't locate revision"):
            await command_line(empty_database, CONFIG, *command)


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("postgresql://nobody:hu%25sh@127.0.0.1:1/nothing", "Cannot connect to the database"),
        ("mysql://nobody:hu%25sh@127.0.0.1/nothing", "DATABASE_URL"),
    ],
)
async def test_a_database_that_cannot_be_used_is_an_error_in_one_line(
    address: str, named: str, command_line: CommandLine, capfd: pytest.CaptureFixture[str]
) -> None:
    # Alembic shows the message of a `CommandError`, and the traceback of any other.
    with pytest.raises(CommandError) as raised:
        await command_line(address, CONFIG, "upgrade", "head")
    assert re.fullmatch(f"{named}.*", str(raised.value))
    shown = [*format_exception(raised.value), *capfd.readouterr()]
    assert not re.search("hu(%|%25)sh", "".join(shown))


async def test_a_server_that_is_read_only_is_an_error_in_one_line(
    empty_database: str, command_line: CommandLine
) -> None:
    async with connected(empty_database) as connection:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with pytest.raises(CommandError, match="target_session_attrs=read-write"):
        await command_line(empty_database, CONFIG, "upgrade", "head")


async def test_a_revision_that_fails_is_not_taken_for_a_lost_connection(
    empty_database: str, own_config: Path, command_line: CommandLine
) -> None:
    [own] = own_config.parent.rglob("revision_of_tests.py")
    own.write_text(own.read_text("utf-8") + "\nopen('/nowhere/file')\n", "utf-8")
    with pytest.raises(FileNotFoundError):
        await command_line(empty_database, own_config, "upgrade", "head")


async def test_a_revision_needs_an_up_to_date_database_and_a_change(
    empty_database: str,
    own_config: Path,
    command_line: CommandLine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "migrations")

    def files() -> int:
        return len([*own_config.parent.rglob("versions/*.py")])

    revision = "revision", "--autogenerate", "--message", "nothing"
    before = files()
    async with connected(empty_database) as connection:
        await connection.execute(TABLE)
        with pytest.raises(CommandError, match="make migrate"):
            await command_line(empty_database, own_config, *revision)
        await command_line(empty_database, own_config, "upgrade", "head")
        await connection.execute(f"DROP TABLE {NAME}")
        await command_line(empty_database, own_config, *revision)
        assert files() == before
        assert "No changes" in caplog.text
        await connection.execute(TABLE)
        await command_line(empty_database, own_config, *revision)
        assert files() == before + 1

"""The command line of Alembic."""

import asyncio
import logging
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from traceback import format_exception

import asyncpg
import pytest
from alembic.config import Config, main
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from tests.databases import CONFIG, ROOT, connected
from tests.upgrades import upgrade, upgrade_concurrently

VALID_INDEXES = "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indisvalid"
REVISION = """
from alembic import op

revision = "revision_of_tests"
down_revision = {head!r}
{body}
"""
# A name that no table of the project has.
NAME = "rows_of_tests"
TABLE = f"CREATE TABLE {NAME} (name text)"

CommandLine = Callable[..., Awaitable[None]]


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return a function that runs an Alembic command in this process, and keeps its loggers."""
    monkeypatch.setattr("app.log_config.configure_logging", lambda _: None)

    async def run(url: str, config: Path, *arguments: str) -> None:
        monkeypatch.setenv("DATABASE_URL", url)
        await asyncio.to_thread(main, ["-c", str(config), "--raiseerr", *arguments])

    return run


@pytest.fixture
def copied_config(tmp_path: Path) -> Path:
    """Copy the migrations to a folder with special characters; return their configuration file.

    The example of `docs/migrations.md` is added as the newest revision.
    """
    folder = tmp_path / "50%(here)s 'é"
    shutil.copytree(ROOT / "migrations", folder / "migrations")
    shutil.copy(CONFIG, folder)
    head = ScriptDirectory.from_config(Config(toml_file=CONFIG)).get_current_head()
    example = (ROOT / "docs" / "migrations.md").read_text("utf-8").split("```")
    [body] = [block.removeprefix("python") for block in example if block.startswith("python")]
    revision = folder / "migrations" / "versions" / "revision_of_tests.py"
    revision.write_text(REVISION.format(head=head, body=body.replace("tags", NAME)), "utf-8")
    return folder / CONFIG.name


async def has_valid_index(connection: asyncpg.Connection) -> bool:
    """Return whether the index of the example exists and is complete."""
    rows = await connection.fetch(VALID_INDEXES)
    return f"ix_{NAME}_name" in {row["relname"] for row in rows}


@pytest.mark.slow
async def test_concurrent_upgrades_run_once_from_any_folder(
    empty_database: str, tmp_path: Path
) -> None:
    results = await upgrade_concurrently(
        empty_database, CONFIG, [ROOT / "docs", tmp_path], tmp_path
    )
    assert [result.status for result in results] == [0, 0], results
    upgraded = [result for result in results if "Running upgrade" in result.output]
    up_to_date = [result for result in results if "already up to date" in result.output]
    # If the project has no migrations, none upgrades.
    assert len(upgraded) <= 1
    assert len(upgraded) + len(up_to_date) == 2


@pytest.mark.slow
async def test_concurrent_upgrades_create_index_concurrently(
    empty_database: str, copied_config: Path, command_line: CommandLine, tmp_path: Path
) -> None:
    async with connected(empty_database) as connection:
        await connection.execute(TABLE)
        results = await upgrade_concurrently(
            empty_database, copied_config, [ROOT / "docs"] * 3, tmp_path
        )
        assert [result.status for result in results] == [0, 0, 0], results
        assert await has_valid_index(connection)
        await command_line(empty_database, copied_config, "downgrade", "-1")
        assert not await has_valid_index(connection)


@pytest.mark.slow
async def test_upgrade_of_older_release_does_nothing(
    empty_database: str, command_line: CommandLine, tmp_path: Path
) -> None:
    async with connected(empty_database) as connection:
        await connection.execute("CREATE TABLE alembic_version (version_num text)")
        await connection.execute("INSERT INTO alembic_version VALUES ('from_a_newer_release')")
        result = await asyncio.to_thread(
            upgrade, empty_database, CONFIG, ROOT / "docs", tmp_path / "log"
        )
        assert result.status == 0, result.output
        assert "from_a_newer_release, which this release does not know" in result.output
        assert await connection.fetchval("SELECT * FROM alembic_version") == "from_a_newer_release"
    # Commands other than `upgrade head` fail.
    for command in ("downgrade", "base"), ("upgrade", "no_such_revision"):
        with pytest.raises(CommandError, match="Can't locate revision"):
            await command_line(empty_database, CONFIG, *command)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://user:hu%25sh@127.0.0.1:1/nothing", "Cannot connect to the database"),
        ("mysql://user:hu%25sh@127.0.0.1/nothing", "DATABASE_URL"),
    ],
)
async def test_unusable_database_is_reported_in_one_line(
    url: str, message: str, command_line: CommandLine, capfd: pytest.CaptureFixture[str]
) -> None:
    # Alembic prints a `CommandError` without a traceback.
    with pytest.raises(CommandError) as raised:
        await command_line(url, CONFIG, "upgrade", "head")
    assert re.fullmatch(f"{message}.*", str(raised.value))
    output = [*format_exception(raised.value), *capfd.readouterr()]
    assert not re.search("hu(%|%25)sh", "".join(output))


async def test_read_only_server_is_reported_in_one_line(
    empty_database: str, command_line: CommandLine
) -> None:
    async with connected(empty_database) as connection:
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with pytest.raises(CommandError, match="target_session_attrs=read-write"):
        await command_line(empty_database, CONFIG, "upgrade", "head")


async def test_error_of_a_revision_is_not_reported_as_lost_connection(
    empty_database: str, copied_config: Path, command_line: CommandLine
) -> None:
    [revision] = copied_config.parent.rglob("revision_of_tests.py")
    revision.write_text(revision.read_text("utf-8") + "\nopen('/nowhere/file')\n", "utf-8")
    with pytest.raises(FileNotFoundError):
        await command_line(empty_database, copied_config, "upgrade", "head")


async def test_autogenerate_requires_current_database_and_a_change(
    empty_database: str,
    copied_config: Path,
    command_line: CommandLine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "migrations")

    def count_revisions() -> int:
        return len([*copied_config.parent.rglob("versions/*.py")])

    autogenerate = "revision", "--autogenerate", "--message", "nothing"
    before = count_revisions()
    async with connected(empty_database) as connection:
        await connection.execute(TABLE)
        # The database is behind the newest revision.
        with pytest.raises(CommandError, match="make migrate"):
            await command_line(empty_database, copied_config, *autogenerate)
        await command_line(empty_database, copied_config, "upgrade", "head")

        # The models have no such table, so without it there are no changes.
        await connection.execute(f"DROP TABLE {NAME}")
        await command_line(empty_database, copied_config, *autogenerate)
        assert count_revisions() == before
        assert "No changes" in caplog.text

        await connection.execute(TABLE)
        await command_line(empty_database, copied_config, *autogenerate)
        assert count_revisions() == before + 1

"""Migrations can be applied and reverted, and agree with the models."""

import logging
from io import StringIO
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

import app.db.models  # noqa: F401 - fills the metadata
from app.db import metadata
from app.db.revisions import MIGRATIONS
from app.settings import Settings
from tests.databases import CONFIG, connected, migrate, url_from

HISTORY = ScriptDirectory.from_config(Config(toml_file=CONFIG))
HAS_MIGRATIONS = any(MIGRATIONS.glob("versions/*.py"))


# Columns (of tables and of indexes), constraints, types and functions, in all schemas but those of
# the server.
SCHEMA = """
WITH namespaces AS (
    SELECT oid FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'
)
SELECT format('%s.%s %s', relname, attname, atttypid::regtype) FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace IN (TABLE namespaces) AND NOT attisdropped
UNION ALL SELECT conname FROM pg_constraint WHERE connamespace IN (TABLE namespaces)
UNION ALL SELECT typname FROM pg_type WHERE typnamespace IN (TABLE namespaces)
UNION ALL SELECT proname FROM pg_proc WHERE pronamespace IN (TABLE namespaces)
"""


async def schema(connection: asyncpg.Connection) -> set[str]:
    found = {row[0] for row in await connection.fetch(SCHEMA)}
    return {name for name in found if "alembic_version" not in name}


async def test_each_revision_can_be_downgraded_and_reapplied(empty_database: str) -> None:
    async with connected(empty_database) as connection:
        empty = await schema(connection)
        for revision in reversed([*HISTORY.walk_revisions()]):
            before = await schema(connection)
            await migrate(empty_database, revision.revision)
            after = await schema(connection)
            # A merge changes nothing, and has two predecessors to which it could be downgraded.
            if not revision.is_merge_point:
                predecessor = f"{revision.revision}@-1"
                await migrate(empty_database, predecessor, command.downgrade)
                assert await schema(connection) == before
                await migrate(empty_database, revision.revision)
            assert await schema(connection) == after
        assert (await schema(connection) != empty) is HAS_MIGRATIONS
        await migrate(empty_database, "base", command.downgrade)
        assert await schema(connection) == empty


async def test_constraint_names_match_the_models(settings: Settings) -> None:
    # PostgreSQL chooses the names of NOT NULL constraints.
    statement = (
        "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
        " AND contype <> 'n' AND conrelid <> to_regclass('alembic_version')"
    )
    async with connected(url_from(settings)) as connection:
        found = {row["conname"] for row in await connection.fetch(statement)}
    constraints = [rule for table in metadata.tables.values() for rule in table.constraints]
    assert found == {constraint.name for constraint in constraints}


async def test_migration_limits_lock_waits(empty_database: str) -> None:
    def check(config: Config, _: str) -> None:
        connection = config.attributes["connection"]
        with connection.begin():
            command.current(config)
            assert connection.scalar(text("SHOW lock_timeout")) == "5s"

    await migrate(empty_database, run_command=check)


async def test_migration_keeps_loggers_enabled(empty_database: str) -> None:
    logger = logging.getLogger("app.access")
    await migrate(empty_database)
    assert not logger.disabled
    assert logger.isEnabledFor(logging.WARNING)


async def test_models_and_migrations_agree(settings: Settings) -> None:
    await migrate(url_from(settings), run_command=lambda config, _: command.check(config))


def test_sql_is_written_without_a_database() -> None:
    written = StringIO()
    command.upgrade(Config(toml_file=CONFIG, output_buffer=written), "head", sql=True)
    assert ("CREATE TABLE" in written.getvalue()) is HAS_MIGRATIONS


@pytest.mark.parametrize("name", ["downgrade", "upgrade"])
def test_every_revision_has_upgrade_and_downgrade(name: str) -> None:
    for revision in HISTORY.walk_revisions():
        body = Path(revision.path).read_text("utf-8").split(f"def {name}() -> None:\n")[1]
        is_empty = body.strip().splitlines()[0] == "pass"
        assert is_empty is revision.is_merge_point, revision.path

"""The command of `make seed`: insert fake rows into all empty tables of the development database.

The rows are the same in every run. They are inserted in one transaction: all, or none.
"""

import asyncio
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from alembic.config import main as alembic
from alembic.util import CommandError
from sqlalchemy import (
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    func,
    insert,
    select,
)

import app.db.models  # noqa: F401 - fills the metadata
from app.db import Database, Transaction, metadata
from app.errors import AppError
from app.settings import ServiceSettings, Settings, load_settings
from app.settings_base import load_group
from dev import DevelopmentError
from dev.fake_values import fake_values
from dev.settings import development_database

Rows = list[dict[str, Any]]


async def seed(
    transaction: Transaction, metadata: MetaData, count: int, settings: Settings
) -> list[str]:
    """Insert up to `count` rows into each empty table, and return a report.

    There are fewer rows where a unique constraint allows no more. Raises `DevelopmentError` if a
    table cannot be filled.
    """
    report = []
    seeded: set[str] = set()
    for table in metadata.sorted_tables:
        existing = await transaction.scalar(select(func.count()).select_from(table))
        if existing:
            report.append(f"{table.name}: not changed, has rows ({existing})")
            continue
        name = f"dev.seeds.{table.name}"
        module = import_module(name) if find_spec(name) else None
        if getattr(module, "IS_EMPTY", False):
            continue
        if getattr(module, "TOGETHER_WITH", None) not in {None, *seeded}:
            continue
        given = await module.values(settings) if module else {}
        rows = fake_values(table, count, given)
        for key in sorted(table.foreign_key_constraints, key=lambda key: len(key.columns)):
            await _refer(transaction, key, rows)
        rows = _without_duplicates(table, rows)
        try:
            await transaction.execute(insert(table), rows)
        except AppError as error:
            reason = str(error.__cause__ or error)
            raise DevelopmentError(f"{table.name}: {reason}\nSee dev/seeds/__init__.py") from error
        seeded.add(table.name)
        report += [f"{table.name}: {len(rows)} rows", *getattr(module, "NOTES", [])]
    return report


async def _refer(transaction: Transaction, key: ForeignKeyConstraint, rows: Rows) -> None:
    """Let the rows refer to those of another table, or to none if it has no rows."""
    parent = key.referred_table
    referred = select(*(element.column for element in key.elements))
    parents: Sequence[Sequence[Any]] = await transaction.fetch_all(
        referred.order_by(*parent.primary_key).limit(len(rows))
    )
    nullable = {column.key: None for column in key.columns if column.nullable}
    if not parents and not nullable:
        raise DevelopmentError(f"{key.table.name}: {parent.name} has no rows to refer to")
    names = [column.key for column in key.columns]
    for number, row in enumerate(rows):
        row |= zip(names, parents[number % len(parents)], strict=True) if parents else nullable


def _without_duplicates(table: Table, rows: Rows) -> Rows:
    """Return the rows without those that violate a unique constraint."""
    rules = [
        rule for rule in table.constraints
        if isinstance(rule, UniqueConstraint | PrimaryKeyConstraint)
    ]  # fmt: skip
    indexes = [index for index in table.indexes if index.unique]
    unique = [[column.key for column in rule.columns] for rule in (*rules, *indexes)]
    # Without those that the server generates.
    unique = [names for names in unique if names and rows[0].keys() >= set(names)]
    seen: set[str] = set()
    distinct = []
    for row in rows:
        values = [[row[name] for name in names] for names in unique]
        keys = {f"{number} {key}" for number, key in enumerate(values) if None not in key}
        if seen.isdisjoint(keys):
            distinct.append(row)
        seen |= keys
    return distinct


async def run(count: int) -> list[str]:
    """Seed the database of the settings, and return the report."""
    settings = load_settings()
    async with Database(settings.database) as database, database.transaction() as transaction:
        return await seed(transaction, metadata, count, settings)


def main() -> None:
    """Migrate and seed. Exits with status 1 in production, or if a table cannot be filled."""
    parser = ArgumentParser(prog="python -m dev.seed", description="Insert fake rows.")
    parser.add_argument("rows", type=int, nargs="?", default=20, help="for each table (20)")
    count = max(parser.parse_args().rows, 1)
    if load_group(ServiceSettings).is_production:
        sys.exit("ENVIRONMENT is production: fake rows are only for development")
    # Exit by an exception, so that the embedded server is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with development_database():
            alembic(["--raiseerr", "upgrade", "head"])
            print(*asyncio.run(run(count)) or ["There are no tables."], sep="\n")
    except (AppError, CommandError, DevelopmentError) as error:
        sys.exit(f"No rows were inserted. {error}")


if __name__ == "__main__":
    main()

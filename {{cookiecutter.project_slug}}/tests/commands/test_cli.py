"""The command line: its arguments, its output and its exit status."""

from argparse import Namespace

import pytest

from app.commands import Parsers
from app.db import Database
from app.errors import ConflictError
from app.settings import Settings
from tests.commands.conftest import Run


@pytest.fixture
def _check_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the command `check`, which reads from the database and fails with `--fail`."""

    async def check(options: Namespace, settings: Settings, database: Database) -> str:
        async with database.transaction() as transaction, transaction.driver_connection() as driver:
            found = await driver.fetchval("SELECT 'works'")
        if options.fail:
            raise ConflictError("This fails.")
        return f"{settings.service.log_level} {found}"

    def add_check(parsers: Parsers) -> None:
        parser = parsers.add_parser("check")
        parser.add_argument("--fail", action="store_true")
        parser.set_defaults(run=check)

    monkeypatch.setattr("app.cli.add_all_commands", add_check)


@pytest.mark.usefixtures("_check_command")
async def test_message_is_printed(run: Run) -> None:
    assert await run("check", LOG_LEVEL="ERROR") == (0, "ERROR works\n", "")


@pytest.mark.usefixtures("_check_command")
async def test_failure_is_reported_with_status_1(run: Run) -> None:
    assert await run("check", "--fail") == (1, "", "This fails.\n")


@pytest.mark.parametrize("arguments", [[], ["destroy"]])
async def test_unknown_command_prints_usage(run: Run, arguments: list[str]) -> None:
    result = await run(*arguments)
    assert (result.status, result.output) == (2, "")
    assert "usage: python -m app.cli" in result.errors


@pytest.mark.usefixtures("_check_command")
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://nobody:hush@127.0.0.1:1/nothing", "cannot be reached"),
        ("hush", "DATABASE_URL"),
    ],
)
async def test_unusable_database_is_reported_without_secrets(
    run: Run, url: str, reason: str
) -> None:
    result = await run("check", DATABASE_URL=url)
    assert (result.status, result.output) == (1, "")
    assert reason in result.errors
    assert "Traceback" not in result.errors
    assert "hush" not in result.errors

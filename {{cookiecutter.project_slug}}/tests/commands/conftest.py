"""A fixture that runs a command of `app.cli`. Folders with tests of commands import it."""

import asyncio
from collections.abc import Awaitable, Callable
from io import StringIO
from typing import NamedTuple

import pytest

from app import cli
from app.settings import Settings
from tests.databases import url_from


class Result(NamedTuple):
    """Result of a command."""

    status: int
    output: str
    errors: str


Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Return a function that runs a command in a thread, with its own loop and connections."""
    monkeypatch.setenv("DATABASE_URL", url_from(settings))

    def call() -> tuple[int, str]:
        try:
            cli.main()
        except SystemExit as ended:
            return (1, f"{ended.code}\n") if isinstance(ended.code, str) else (ended.code or 0, "")
        return 0, ""

    async def run(*arguments: str, stdin: str = "", **variables: str) -> Result:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["app.cli", *arguments])
        monkeypatch.setattr("sys.stdin", StringIO(stdin))
        status, reason = await asyncio.to_thread(call)
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err + reason)

    return run

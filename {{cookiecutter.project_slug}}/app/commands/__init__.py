"""The commands of `app.cli`, one module for each subject.

A module has a function `add_commands`, which adds parsers of commands. Each parser has the default
`run`, the function that runs the command. `add_all_commands` finds every module in this package, so
a new module needs no registration.
"""

from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Awaitable, Callable, Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeAlias

from app.db import Database
from app.settings import Settings

Parsers: TypeAlias = "_SubParsersAction[ArgumentParser]"
#: Runs a command and returns the message to print. Raises `AppError` if it fails.
RunCommand = Callable[[Namespace, Settings, Database], Awaitable[str]]


def add_all_commands(parsers: Parsers) -> None:
    """Add the commands of all modules, in the alphabetical order of the modules."""
    for module in iter_modules(__path__, prefix=f"{__name__}."):
        import_module(module.name).add_commands(parsers)


def format_table(rows: Iterable[tuple[str, ...]]) -> str:
    """Return rows of cells, with their columns aligned."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )

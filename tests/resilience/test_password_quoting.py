"""A password with every awkward character opens the database everywhere, and is shown nowhere."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Project

from resilience.load import ARTICLES, client_of, new_article
from resilience.service_process import PASSWORD, TRACES, Server, run, serving

COMMANDS = [("check_connection",), ("alembic", "current"), ("dev.alembic", "current")]

Form = Callable[[Server, str], dict[str, str]]


def as_url(server: Server, database: str) -> dict[str, str]:
    return {"DATABASE_URL": server.url(database)}


def as_parts(server: Server, database: str) -> dict[str, str]:
    return {
        "POSTGRES_HOST": server.host,
        "POSTGRES_PORT": server.port,
        "POSTGRES_USER": "service",
        "POSTGRES_PASSWORD": PASSWORD,
        "POSTGRES_DB": database,
    }


def quoted(value: str) -> str:
    """A value as a `.env` file has it."""
    return "'{}'".format(value.replace("\\", "\\\\").replace("'", "\\'"))


async def run_all(project: Project, **variables: str) -> list[str]:
    """What the commands say, and that none of them failed or said too much."""
    said = await asyncio.gather(*(run(project, *command, **variables) for command in COMMANDS))
    assert not [trace for trace in TRACES if trace in "".join(said)]
    return said


@pytest.mark.parametrize("place", ["environment", "file"])
@pytest.mark.parametrize("form", [as_url, as_parts])
async def test_it_opens_the_database(
    project: Project, server: Server, database: str, form: Form, place: str
) -> None:
    variables = form(server, database)
    if place == "environment":
        await run_all(project, **variables)
        return
    settings = project.path / ".env"
    settings.write_text(
        "".join(f"{name}={quoted(it)}\n" for name, it in variables.items()), "utf-8"
    )
    try:
        await run_all(project)
    finally:
        settings.unlink()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_a_wrong_one_is_not_shown_either(
    project: Project, server: Server, database: str, command: tuple[str, ...]
) -> None:
    wrong = server.url(database).replace("-secret", "-secrets")
    with pytest.raises(AssertionError) as raised:
        await run(project, *command, DATABASE_URL=wrong)
    said = str(raised.value)
    assert "password authentication failed" in said
    assert not [trace for trace in TRACES if trace in said]


@pytest.mark.parametrize("is_right", [True, False], ids=["right", "wrong"])
async def test_not_even_a_service_that_tells_all_tells_it(
    project: Project, server: Server, database: str, tmp_path: Path, *, is_right: bool
) -> None:
    url = server.url(database)
    if not is_right:
        url = url.replace("-secret", "-secrets")
    variables = {"ENVIRONMENT": "development", "DEBUG": "true", "LOG_LEVEL": "DEBUG"}
    async with (
        serving(project, url, tmp_path / "log", **variables) as service,
        client_of(service) as client,
    ):
        for request in (client.get("/readyz"), client.post(ARTICLES, json=new_article())):
            answer = await request
            assert answer.is_success is is_right
            assert not [trace for trace in TRACES if trace in answer.text]

"""A password with special characters works in every setting, and never appears in output."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Project

from resilience.load import ARTICLES, new_article, open_client
from resilience.postgres_server import PASSWORD, PostgresServer
from resilience.project_venv import run_module
from resilience.service_process import SECRET_FORMS, run_service

COMMANDS = [("check_connection",), ("alembic", "current"), ("dev.alembic", "current")]

SettingsForm = Callable[[PostgresServer, str], dict[str, str]]


def as_url(server: PostgresServer, database: str) -> dict[str, str]:
    return {"DATABASE_URL": server.url(database)}


def as_parts(server: PostgresServer, database: str) -> dict[str, str]:
    return {
        "POSTGRES_HOST": server.host,
        "POSTGRES_PORT": server.port,
        "POSTGRES_USER": "service",
        "POSTGRES_PASSWORD": PASSWORD,
        "POSTGRES_DB": database,
    }


def quote_for_dotenv(value: str) -> str:
    """Quote a value for a `.env` file."""
    return "'{}'".format(value.replace("\\", "\\\\").replace("'", "\\'"))


async def run_commands(project: Project, **variables: str) -> None:
    """Run all commands, and assert that they succeed without printing the password."""
    outputs = await asyncio.gather(
        *(run_module(project, *command, **variables) for command in COMMANDS)
    )
    assert not [form for form in SECRET_FORMS if form in "".join(outputs)]


@pytest.mark.parametrize(
    ("form", "place"),
    [
        (as_url, "environment"),
        (as_parts, "file"),
        pytest.param(as_url, "file", marks=pytest.mark.thorough),
        pytest.param(as_parts, "environment", marks=pytest.mark.thorough),
    ],
)
async def test_password_opens_the_database(
    project: Project, server: PostgresServer, database: str, form: SettingsForm, place: str
) -> None:
    variables = form(server, database)
    if place == "environment":
        await run_commands(project, **variables)
        return
    settings = project.path / ".env"
    settings.write_text(
        "".join(f"{name}={quote_for_dotenv(value)}\n" for name, value in variables.items()), "utf-8"
    )
    try:
        await run_commands(project)
    finally:
        settings.unlink()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_wrong_password_is_not_printed(
    project: Project, server: PostgresServer, database: str, command: tuple[str, ...]
) -> None:
    wrong = server.url(database).replace("-secret", "-secrets")
    with pytest.raises(AssertionError) as raised:
        await run_module(project, *command, DATABASE_URL=wrong)
    output = str(raised.value)
    assert "password authentication failed" in output
    assert not [form for form in SECRET_FORMS if form in output]


@pytest.mark.parametrize("is_correct", [True, False], ids=["correct", "wrong"])
async def test_debug_service_does_not_reveal_the_password(
    project: Project, server: PostgresServer, database: str, tmp_path: Path, *, is_correct: bool
) -> None:
    url = server.url(database)
    if not is_correct:
        url = url.replace("-secret", "-secrets")
    variables = {"ENVIRONMENT": "development", "DEBUG": "true", "LOG_LEVEL": "DEBUG"}
    async with (
        run_service(project, url, tmp_path / "log", **variables) as service,
        open_client(service) as client,
    ):
        for request in (client.get("/readyz"), client.post(ARTICLES, json=new_article())):
            response = await request
            assert response.is_success is is_correct
            assert not [form for form in SECRET_FORMS if form in response.text]

"""User isolation: users, an administrator, a program with an API key, and clients without either.

They use random operations on notes, while the administrator deactivates and reactivates users and
changes a scope, and while the API key is created and revoked.
"""

import asyncio
from itertools import count
from pathlib import Path

import asyncpg
from conftest import Project
from httpx2 import Client
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from resilience import IS_LONG
from resilience.accounts import create_user
from resilience.isolation_machine import PASSWORD, IsolationMachine
from resilience.postgres_server import PostgresServer
from resilience.service_process import run_service
from resilience.test_fuzzing import RELAXED_SETTINGS

RUNS = 500 if IS_LONG else 20


async def create_users(project: Project, server: PostgresServer, database: str) -> None:
    """Create as many users as the runs need, also those that shrink a failure."""
    email = "user@example.com"
    await create_user(project, server.url(database), email, PASSWORD, **RELAXED_SETTINGS)
    connection = await asyncpg.connect(server.url(database))
    await connection.execute(
        "INSERT INTO users (email, password_hash, scopes)"
        " SELECT format('user%s@example.com', number), password_hash,"
        # The third user of each run is an administrator.
        " CASE WHEN number % 3 = 2 THEN ARRAY['users:admin'] ELSE '{}' END"
        " FROM users, generate_series(0, 99999) AS number WHERE email = $1",
        email,
    )
    await connection.close()


async def test_users_cannot_see_or_change_notes_of_others(
    project: Project, server: PostgresServer, database: str, tmp_path: Path
) -> None:
    limits = settings(
        max_examples=RUNS,
        stateful_step_count=30,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    log = tmp_path / "log"
    await create_users(project, server, database)
    IsolationMachine.numbers = count()
    async with run_service(project, server.url(database), log, **RELAXED_SETTINGS) as service:
        with Client(base_url=service.base_url, timeout=60) as IsolationMachine.client:
            await asyncio.to_thread(run_state_machine_as_test, IsolationMachine, settings=limits)

"""User isolation: two users and an unauthenticated client use random operations on notes."""

import asyncio
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
from conftest import Project
from httpx2 import Client, Response
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from resilience import IS_LONG
from resilience.accounts import create_user
from resilience.postgres_server import PostgresServer
from resilience.service_process import run_service
from resilience.test_fuzzing import RELAXED_SETTINGS

RUNS = 500 if IS_LONG else 20
AUTH, NOTES = "/api/v1/auth", "/api/v1/notes"
PASSWORD = "a test password"
ANONYMOUS = "anonymous"
CALLERS = st.sampled_from(["alice", "bob", ANONYMOUS])
# Few words, so that searches by one user match notes of the other.
WORDS = st.sampled_from(["whale", "ship", "harpoon"])
METHODS = st.sampled_from(["GET", "PATCH", "DELETE"])


class IsolationMachine(RuleBasedStateMachine):
    """Model of each user's notes, which is compared with the responses."""

    client: ClassVar[Client]
    #: Of users who have not logged in yet.
    numbers: ClassVar[Iterator[int]]

    def __init__(self) -> None:
        super().__init__()
        self.headers: dict[str, dict[str, str]] = {ANONYMOUS: {}}
        #: The expected notes, by owner and ID.
        self.notes: dict[str, dict[int, dict[str, Any]]] = {"alice": {}, "bob": {}}
        #: All IDs so far, of both users and of deleted notes; the first was never used.
        self.known_ids: list[int] = [2**62]

    @initialize()
    def log_in(self) -> None:
        for name in self.notes:
            form = {"username": f"user{next(self.numbers)}@example.com", "password": PASSWORD}
            tokens = self.client.post(f"{AUTH}/token", data=form).json()
            self.headers[name] = {"Authorization": f"Bearer {tokens['access_token']}"}

    def request(self, caller: str, method: str, path: str = "", **options: Any) -> Response:
        return self.client.request(method, NOTES + path, headers=self.headers[caller], **options)

    @rule(caller=CALLERS, title=WORDS, description=st.none() | WORDS)
    def create(self, caller: str, title: str, description: str | None) -> None:
        new = {"title": title, "description": description}
        response = self.request(caller, "POST", json=new)
        if caller == ANONYMOUS:
            assert response.status_code == 401
            return
        assert response.status_code == 201
        note = response.json()
        assert note["id"] not in self.known_ids
        self.notes[caller][note["id"]] = note
        self.known_ids.append(note["id"])

    @rule(caller=CALLERS, method=METHODS, title=st.none() | WORDS, data=st.data())
    def use(self, caller: str, method: str, title: str | None, data: st.DataObject) -> None:
        # Draw an index, because a replayed run has other IDs.
        note_id = self.known_ids[data.draw(st.integers(0, len(self.known_ids) - 1))]
        change = {"title": title} if title else {}
        body = change if method == "PATCH" else None
        response = self.request(caller, method, f"/{note_id}", json=body)
        if caller == ANONYMOUS:
            assert response.status_code == 401
        elif note_id not in self.notes[caller]:
            assert response.status_code == 404
        elif method == "DELETE":
            assert response.status_code == 204
            del self.notes[caller][note_id]
        else:
            self.notes[caller][note_id] |= body or {}
            assert (response.status_code, response.json()) == (200, self.notes[caller][note_id])

    @rule(caller=CALLERS, word=st.none() | WORDS, limit=st.integers(1, 3))
    def list_pages(self, caller: str, word: str | None, limit: int) -> None:
        found: list[dict[str, Any]] = []
        path: str | None = f"?limit={limit}" + (f"&q={word}" if word else "")
        while path is not None:
            response = self.request(caller, "GET", path)
            if caller == ANONYMOUS:
                assert response.status_code == 401
                return
            assert response.status_code == 200
            found += response.json()
            link = response.headers.get("Link")
            path = link.partition(">")[0].removeprefix(f"<{NOTES}") if link else None
        own = sorted(self.notes[caller].values(), key=lambda note: -note["id"])
        assert found == [
            note for note in own if not word or word in (note["title"], note["description"])
        ]

    @invariant()
    def own_notes_are_unchanged(self) -> None:
        """After each step, every user can read one of their notes, as they wrote it."""
        for name, notes in self.notes.items():
            for note_id in list(notes)[:1] if name in self.headers else ():
                assert self.request(name, "GET", f"/{note_id}").json() == notes[note_id]


async def create_users(project: Project, server: PostgresServer, database: str) -> None:
    """Create as many users as the runs need, also those that shrink a failure."""
    email = "user@example.com"
    await create_user(project, server.url(database), email, PASSWORD, **RELAXED_SETTINGS)
    connection = await asyncpg.connect(server.url(database))
    await connection.execute(
        "INSERT INTO users (email, password_hash) SELECT format('user%s@example.com', number),"
        " password_hash FROM users, generate_series(0, 99999) AS number"
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

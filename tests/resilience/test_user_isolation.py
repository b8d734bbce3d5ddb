"""Two users and somebody without a token, at each other's notes: nobody sees what is not theirs."""

import asyncio
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

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

from resilience.service_process import Server, is_long, serving
from resilience.test_fuzzing import PATIENT

RUNS = 500 if is_long() else 20
AUTH, NOTES = "/api/v1/auth", "/api/v1/notes"
PASSWORD = "a password of chance"
USERS = st.sampled_from(["ada", "bob"])
ANYONE = st.sampled_from(["ada", "bob", "nobody"])
# Few words, so that one finds what another has written.
WORDS = st.sampled_from(["whale", "ship", "harpoon"])
METHODS = st.sampled_from(["GET", "PATCH", "DELETE"])


class Strangers(RuleBasedStateMachine):
    """What each user has written, beside what the service shows them."""

    client: ClassVar[Client]

    def __init__(self) -> None:
        super().__init__()
        self.headers: dict[str, dict[str, str]] = {"nobody": {}}
        self.notes: dict[str, dict[int, dict[str, Any]]] = {"ada": {}, "bob": {}}
        self.known: list[int] = [2**62]

    @initialize()
    def register(self) -> None:
        for name in self.notes:
            user = {"email": f"{name}-{uuid4().hex}@example.com", "password": PASSWORD}
            assert self.client.post(f"{AUTH}/register", json=user).status_code == 201
            form = {"username": user["email"], "password": PASSWORD}
            tokens = self.client.post(f"{AUTH}/token", data=form).json()
            self.headers[name] = {"Authorization": f"Bearer {tokens['access_token']}"}

    def ask(self, who: str, method: str, path: str = "", **options: Any) -> Response:
        return self.client.request(method, NOTES + path, headers=self.headers[who], **options)

    @rule(who=ANYONE, title=WORDS, description=st.none() | WORDS)
    def write(self, who: str, title: str, description: str | None) -> None:
        response = self.ask(who, "POST", json={"title": title, "description": description})
        if who == "nobody":
            assert response.status_code == 401
            return
        assert response.status_code == 201
        note = response.json()
        assert note["id"] not in self.known
        self.notes[who][note["id"]] = note
        self.known.append(note["id"])

    @rule(who=ANYONE, method=METHODS, title=st.none() | WORDS, data=st.data())
    def use(self, who: str, method: str, title: str | None, data: st.DataObject) -> None:
        # By its place, since the next run has other keys.
        key = self.known[data.draw(st.integers(0, len(self.known) - 1))]
        change = {"title": title} if title else {}
        response = self.ask(who, method, f"/{key}", json=change if method == "PATCH" else None)
        if who == "nobody":
            assert response.status_code == 401
        elif key not in self.notes[who]:
            assert response.status_code == 404
        elif method == "DELETE":
            assert response.status_code == 204
            del self.notes[who][key]
        else:
            self.notes[who][key] |= change if method == "PATCH" else {}
            assert (response.status_code, response.json()) == (200, self.notes[who][key])

    @rule(who=ANYONE, word=st.none() | WORDS, limit=st.integers(1, 3))
    def look_through(self, who: str, word: str | None, limit: int) -> None:
        found: list[dict[str, Any]] = []
        path: str | None = f"?limit={limit}" + (f"&q={word}" if word else "")
        while path is not None:
            response = self.ask(who, "GET", path)
            if who == "nobody":
                assert response.status_code == 401
                return
            assert response.status_code == 200
            found += response.json()
            link = response.headers.get("Link")
            path = link.partition(">")[0].removeprefix(f"<{NOTES}") if link else None
        own = sorted(self.notes[who].values(), key=lambda note: -note["id"])
        assert found == [
            note for note in own if not word or word in (note["title"], note["description"])
        ]

    @invariant()
    def nobody_is_shut_out(self) -> None:
        """Each has what they wrote, after whatever the others have tried."""
        for name, notes in self.notes.items():
            for key in list(notes)[:1] if name in self.headers else ():
                assert self.ask(name, "GET", f"/{key}").json() == notes[key]


async def test_strangers_see_and_change_nothing(
    project: Project, server: Server, database: str, tmp_path: Path
) -> None:
    limits = settings(
        max_examples=RUNS,
        stateful_step_count=30,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    async with serving(project, server.url(database), tmp_path / "log", **PATIENT) as service:
        with Client(base_url=service.address, timeout=60) as Strangers.client:
            await asyncio.to_thread(run_state_machine_as_test, Strangers, settings=limits)

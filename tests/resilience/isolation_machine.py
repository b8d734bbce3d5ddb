"""A model of users, their notes and their permissions, which is compared with the service."""

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import uuid4

from httpx2 import Client, Response
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

AUTH, NOTES, ME = "/api/v1/auth", "/api/v1/notes", "/api/v1/users/me"
ADMIN, KEYS, ARTICLES = "/api/v1/admin/users", f"{ME}/api-keys", "/api/v1/articles"
PASSWORD = "a test password"
SCOPE = "articles:write"
#: `key` is an API key of alice, and carol is an administrator.
USERS, KEY, ANONYMOUS = ("alice", "bob", "carol"), "key", "anonymous"
CALLERS = st.sampled_from([*USERS, KEY, ANONYMOUS])
# Few words, so that searches by one user match notes of the other.
WORDS = st.sampled_from(["whale", "ship", "harpoon"])
METHODS = st.sampled_from(["GET", "PATCH", "DELETE"])


def bearer(token: str) -> dict[str, str]:
    """Return the header that authenticates a request."""
    return {"Authorization": f"Bearer {token}"}


class IsolationMachine(RuleBasedStateMachine):
    """Model of each user's notes, which is compared with the responses."""

    client: ClassVar[Client]
    #: Of users who have not logged in yet.
    numbers: ClassVar[Iterator[int]]

    def __init__(self) -> None:
        super().__init__()
        self.headers: dict[str, dict[str, str]] = {ANONYMOUS: {}, KEY: bearer("ak_none")}
        self.emails: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.inactive: set[str] = set()
        self.key_id: str | None = None
        #: Whether alice, and the API key, have `SCOPE`. A key needs it from both.
        self.has_scope = {"alice": False, KEY: False}
        #: The expected notes, by owner and ID.
        self.notes: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in USERS}
        #: All IDs so far, of both users and of deleted notes; the first was never used.
        self.known_ids: list[int] = [2**62]

    @initialize()
    def log_in_all(self) -> None:
        for name in USERS:
            self.emails[name] = f"user{next(self.numbers)}@example.com"
            self.log_in(name)
            self.ids[name] = self.client.get(ME, headers=self.headers[name]).json()["id"]

    def log_in(self, name: str) -> None:
        form = {"username": self.emails[name], "password": PASSWORD}
        tokens = self.client.post(f"{AUTH}/token", data=form).json()
        self.headers[name] = bearer(tokens["access_token"])

    def user_of(self, caller: str) -> str | None:
        """Return the user for whom a caller acts, or None without valid credentials."""
        user = "alice" if caller == KEY else caller
        is_invalid = caller == ANONYMOUS or (caller == KEY and self.key_id is None)
        return None if is_invalid or user in self.inactive else user

    def administer(self, name: str, **changes: object) -> None:
        response = self.client.patch(
            f"{ADMIN}/{self.ids[name]}", json=changes, headers=self.headers["carol"]
        )
        assert response.status_code == 200
        assert changes.items() <= response.json().items()

    def request(self, caller: str, method: str, path: str = "", **options: Any) -> Response:
        return self.client.request(method, NOTES + path, headers=self.headers[caller], **options)

    @rule(caller=CALLERS, title=WORDS, description=st.none() | WORDS)
    def create(self, caller: str, title: str, description: str | None) -> None:
        new = {"title": title, "description": description}
        response = self.request(caller, "POST", json=new)
        user = self.user_of(caller)
        if user is None:
            assert response.status_code == 401
            return
        assert response.status_code == 201
        note = response.json()
        assert note["id"] not in self.known_ids
        self.notes[user][note["id"]] = note
        self.known_ids.append(note["id"])

    @rule(caller=CALLERS, method=METHODS, title=st.none() | WORDS, data=st.data())
    def use(self, caller: str, method: str, title: str | None, data: st.DataObject) -> None:
        # Draw an index, because a replayed run has other IDs.
        note_id = self.known_ids[data.draw(st.integers(0, len(self.known_ids) - 1))]
        change = {"title": title} if title else {}
        body = change if method == "PATCH" else None
        response = self.request(caller, method, f"/{note_id}", json=body)
        user = self.user_of(caller)
        if user is None:
            assert response.status_code == 401
        elif note_id not in self.notes[user]:
            assert response.status_code == 404
        elif method == "DELETE":
            assert response.status_code == 204
            del self.notes[user][note_id]
        else:
            self.notes[user][note_id] |= body or {}
            assert (response.status_code, response.json()) == (200, self.notes[user][note_id])

    @rule(caller=CALLERS, word=st.none() | WORDS, limit=st.integers(1, 3))
    def list_pages(self, caller: str, word: str | None, limit: int) -> None:
        found: list[dict[str, Any]] = []
        user = self.user_of(caller)
        path: str | None = f"?limit={limit}" + (f"&q={word}" if word else "")
        while path is not None:
            response = self.request(caller, "GET", path)
            if user is None:
                assert response.status_code == 401
                return
            assert response.status_code == 200
            found += response.json()
            link = response.headers.get("Link")
            path = link.partition(">")[0].removeprefix(f"<{NOTES}") if link else None
        assert user is not None
        own = sorted(self.notes[user].values(), key=lambda note: -note["id"])
        assert found == [
            note for note in own if not word or word in (note["title"], note["description"])
        ]

    @rule(name=st.sampled_from(["alice", "bob"]))
    def deactivate_or_reactivate(self, name: str) -> None:
        is_active = name in self.inactive
        self.administer(name, is_active=is_active)
        self.inactive ^= {name}
        if is_active:
            # The access token from before remains invalid. The API key becomes valid again.
            assert self.request(name, "GET").status_code == 401
            self.log_in(name)

    @rule(has_scope=st.booleans())
    def change_scope(self, has_scope: bool) -> None:
        self.administer("alice", scopes=[SCOPE] if has_scope else [])
        self.has_scope["alice"] = has_scope

    @precondition(lambda self: "alice" not in self.inactive)
    @rule()
    def create_or_revoke_key(self) -> None:
        headers = self.headers["alice"]
        if self.key_id is not None:
            # Neither the key itself nor another user can.
            for caller, status in ((KEY, 401), ("carol", 404)):
                response = self.client.delete(f"{KEYS}/{self.key_id}", headers=self.headers[caller])
                assert response.status_code == status
            response = self.client.delete(f"{KEYS}/{self.key_id}", headers=headers)
            assert response.status_code == 204
            self.key_id = None
            return
        self.has_scope[KEY] = self.has_scope["alice"]
        new = {"name": "Test", "scopes": [SCOPE] if self.has_scope[KEY] else []}
        response = self.client.post(KEYS, json=new, headers=headers)
        assert response.status_code == 201
        self.key_id = response.json()["id"]
        self.headers[KEY] = bearer(response.json()["key"])

    @rule(caller=CALLERS)
    def use_scopes(self, caller: str) -> None:
        user = self.user_of(caller)
        has_scope = user == "alice" and self.has_scope["alice"] and self.has_scope.get(caller)
        new = {"title": "A", "slug": f"a-{uuid4().hex}", "text": "B"}
        headers = self.headers[caller]
        response = self.client.post(ARTICLES, json=new, headers=headers)
        assert response.status_code == (401 if user is None else 201 if has_scope else 403)
        response = self.client.get(ADMIN, headers=headers)
        assert response.status_code == (401 if user is None else 200 if user == "carol" else 403)

    @invariant()
    def own_notes_are_unchanged(self) -> None:
        """After each step, every user can read one of their notes, as they wrote it."""
        for name, notes in self.notes.items():
            for note_id in list(notes)[:1] if self.user_of(name) else ():
                assert self.request(name, "GET", f"/{note_id}").json() == notes[note_id]

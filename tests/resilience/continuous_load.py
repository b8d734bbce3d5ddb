"""Reads, writes and probes without a pause, and what they were answered."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from httpx2 import AsyncClient, Response

from resilience.load import ARTICLES, new_article

# Several times what was measured.
RECOVERY = 5
WRITERS = 4


@dataclass
class Answer:
    kind: str
    sent: float
    response: Response
    slug: str = ""

    @property
    def status(self) -> int:
        return self.response.status_code


@dataclass
class Load:
    """What clients were answered, of which each sends one request after another."""

    answers: list[Answer] = field(default_factory=list)

    def since(self, moment: float, kind: str) -> set[int]:
        """The statuses of what was sent after a moment."""
        return {a.status for a in self.answers if a.sent > moment and a.kind == kind}

    def slugs(self, status: int) -> set[str]:
        return {a.slug for a in self.answers if a.kind == "write" and a.status == status}

    async def recovered(self, start: float) -> float:
        """Wait until each kind has succeeded, and return how long that took."""
        kinds = {"read", "write", "/readyz"}
        async with asyncio.timeout(RECOVERY):
            while {a.kind for a in self.answers if a.sent > start and a.status < 400} < kinds:
                await asyncio.sleep(0.01)
        return monotonic() - start

    def assert_only_refused(self) -> None:
        """Assert that each answer is a success, or a 503 that says when to try again."""
        print(sorted(Counter((a.kind, a.status) for a in self.answers).items()))
        for answer in self.answers:
            assert answer.status in {200, 201, 503}, answer.response.text
            assert answer.kind != "/livez" or answer.status == 200
            assert answer.status != 503 or answer.response.headers["Retry-After"] == "1"


@asynccontextmanager
async def load(client: AsyncClient) -> AsyncIterator[Load]:
    """Read, write and ask for the health all the time."""
    load = Load()
    is_over = asyncio.Event()

    async def keep_on(kind: str, request: Callable[[], Awaitable[Response]]) -> None:
        while not is_over.is_set():
            sent = monotonic()
            load.answers.append(Answer(kind, sent, await request()))
            await asyncio.sleep(0.01)

    async def keep_writing() -> None:
        while not is_over.is_set():
            article, sent = new_article(), monotonic()
            response = await client.post(ARTICLES, json=article)
            load.answers.append(Answer("write", sent, response, article["slug"]))
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        for _ in range(WRITERS):
            group.create_task(keep_writing())
        for kind, path in (("read", ARTICLES), ("/readyz", "/readyz"), ("/livez", "/livez")):
            group.create_task(keep_on(kind, partial(client.get, path)))
        try:
            yield load
        finally:
            # Not cancelled: what a request has stored would be unknown.
            is_over.set()

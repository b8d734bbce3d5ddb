"""Continuous reads, writes and probes during an outage or a failover."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from httpx2 import AsyncClient, Response

from resilience.load import ARTICLES, new_article

#: Maximum seconds until all kinds of requests succeed again; several times the measured value.
RECOVERY_TIMEOUT = 5
WRITERS = 4
KINDS = {"read", "write", "/readyz", "/livez"}


@dataclass
class Exchange:
    """A request with its response; the times are monotonic."""

    kind: str
    sent: float
    received: float
    response: Response
    #: Of a write.
    slug: str = ""

    @property
    def status(self) -> int:
        return self.response.status_code


@dataclass
class ContinuousLoad:
    """The exchanges of all clients so far."""

    exchanges: list[Exchange] = field(default_factory=list)

    def statuses_since(self, start: float, kind: str) -> set[int]:
        """Return the statuses of one kind of requests that were sent after `start`."""
        return {e.status for e in self.exchanges if e.sent > start and e.kind == kind}

    def slugs(self, status: int) -> set[str]:
        """Return the slugs of the writes with this response status."""
        return {e.slug for e in self.exchanges if e.kind == "write" and e.status == status}

    async def wait_for_recovery(self) -> float:
        """Wait until each kind of request has succeeded again; return the seconds it took."""
        start = monotonic()
        async with asyncio.timeout(RECOVERY_TIMEOUT):
            while {e.kind for e in self.exchanges if e.sent > start and e.status < 400} < KINDS:
                await asyncio.sleep(0.01)
        return monotonic() - start

    def assert_only_503_errors(self) -> None:
        """Assert that /livez never fails, and that all other errors are 503 with Retry-After."""
        print(sorted(Counter((e.kind, e.status) for e in self.exchanges).items()))
        for exchange in self.exchanges:
            assert exchange.status in {200, 201, 503}, exchange.response.text
            assert exchange.kind != "/livez" or exchange.status == 200
            assert exchange.status != 503 or exchange.response.headers["Retry-After"] == "1"


@asynccontextmanager
async def continuous_load(client: AsyncClient) -> AsyncIterator[ContinuousLoad]:
    """Send requests of all kinds in parallel until the block ends, and finish the last ones."""
    load = ContinuousLoad()
    is_over = asyncio.Event()

    async def repeat(kind: str, request: Callable[[], Awaitable[Response]]) -> None:
        while not is_over.is_set():
            sent = monotonic()
            response = await request()
            load.exchanges.append(Exchange(kind, sent, monotonic(), response))
            await asyncio.sleep(0.01)

    async def write() -> None:
        while not is_over.is_set():
            article, sent = new_article(), monotonic()
            response = await client.post(ARTICLES, json=article)
            exchange = Exchange("write", sent, monotonic(), response, article["slug"])
            load.exchanges.append(exchange)
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        for _ in range(WRITERS):
            group.create_task(write())
        for kind, path in (("read", ARTICLES), ("/readyz", "/readyz"), ("/livez", "/livez")):
            group.create_task(repeat(kind, partial(client.get, path)))
        try:
            yield load
        finally:
            # Not cancelled, because a cancelled write may or may not be stored.
            is_over.set()

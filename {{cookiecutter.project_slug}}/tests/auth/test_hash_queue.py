"""The queue of passwords to hash is bounded, and drops those of disconnected clients."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.auth.client_connection import current_receive
from app.auth.errors import ClientDisconnectedError, HashQueueFullError
from app.auth.hash_queue import HashQueue
from app.auth.passwords import PasswordHasher
from app.auth.settings import AuthSettings
from tests.auth.helpers import AUTH, EMAIL, PASSWORD, log_in, register
from tests.waiting import wait_until


class Work:
    """Functions that run until `end` is set, and the order in which they began."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.end = threading.Event()

    def __getitem__(self, number: int) -> Callable[[], int]:
        def function() -> int:
            self.began.append(number)
            assert self.end.wait(60)
            return number

        return function

    async def have_begun(self, count: int) -> None:
        async def condition() -> bool:
            return len(self.began) >= count

        await wait_until(condition)


@pytest.fixture
async def work() -> AsyncIterator[Work]:
    work = Work()
    yield work
    work.end.set()


async def start(queue: HashQueue, work: Work, *numbers: int) -> list[asyncio.Task[int]]:
    """Call `run` for each number, and let all calls run or wait."""
    tasks = [asyncio.create_task(queue.run(work[number])) for number in numbers]
    await asyncio.sleep(0.01)
    return tasks


async def test_calls_wait_in_order_and_one_too_many_is_rejected(work: Work) -> None:
    queue = HashQueue(1, 2)
    tasks = await start(queue, work, 1, 2, 3)
    with pytest.raises(HashQueueFullError) as raised:
        await queue.run(work[4])
    assert (raised.value.status, raised.value.headers["Retry-After"]) == (503, "1")
    assert work.began == [1]
    work.end.set()
    assert [await task for task in tasks] == work.began == [1, 2, 3]
    assert await queue.run(work[5]) == 5


async def test_error_of_a_function_is_raised_and_releases_the_thread() -> None:
    queue = HashQueue(1, 0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await queue.run(lambda: 1 // 0)
        await asyncio.sleep(0.01)
    assert await queue.run(lambda: 1) == 1


async def test_cancelled_call_leaves_the_queue_and_does_not_begin(work: Work) -> None:
    queue = HashQueue(1, 2)
    tasks = await start(queue, work, 1, 2, 3)
    tasks[1].cancel()
    await asyncio.sleep(0)
    tasks += await start(queue, work, 4)
    work.end.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert work.began == [1, 3, 4]


async def test_call_that_has_begun_occupies_its_thread_after_a_cancellation(work: Work) -> None:
    queue = HashQueue(1, 1)
    (first,) = await start(queue, work, 1)
    await work.have_begun(1)
    first.cancel()
    (second,) = await start(queue, work, 2)
    assert first.cancelled()
    assert work.began == [1]
    work.end.set()
    assert await second == 2


async def test_thread_of_a_call_that_is_cancelled_at_its_turn_is_released(work: Work) -> None:
    queue = HashQueue(1, 2)
    queue._free_threads = 0
    second, third = await start(queue, work, 2, 3)
    # A thread is assigned to the second call, which is cancelled before it continues.
    queue._release_thread()
    second.cancel()
    work.end.set()
    assert await third == 3
    assert work.began == [3]
    await asyncio.sleep(0.01)
    assert queue._free_threads == 1


async def test_call_whose_client_disconnects_leaves_the_queue(work: Work) -> None:
    queue = HashQueue(1, 1)
    messages: asyncio.Queue[Any] = asyncio.Queue()
    (first,) = await start(queue, work, 1)
    token = current_receive.set(messages.get)
    (second,) = await start(queue, work, 2)
    current_receive.reset(token)
    messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    await asyncio.sleep(0.01)
    assert not second.done()
    messages.put_nowait({"type": "http.disconnect"})
    with pytest.raises(ClientDisconnectedError):
        await second
    (third,) = await start(queue, work, 3)
    work.end.set()
    assert [await first, await third] == work.began == [1, 3]


async def test_call_of_a_disconnected_client_does_not_begin(work: Work) -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    queue = HashQueue(1, 1)
    token = current_receive.set(receive)
    with pytest.raises(ClientDisconnectedError):
        await queue.run(work[1])
    current_receive.reset(token)
    work.end.set()
    assert await queue.run(work[2]) == 2
    assert work.began == [2]


async def test_full_queue_is_reported_as_unavailable(
    app: FastAPI, committing_client: AsyncClient, monkeypatch: pytest.MonkeyPatch, work: Work
) -> None:
    await register(committing_client)
    passwords = PasswordHasher(AuthSettings(AUTH_HASH_CONCURRENCY=1, AUTH_HASH_QUEUE=0))
    monkeypatch.setattr(app.state.authentication, "passwords", passwords)
    (running,) = await start(passwords._queue, work, 1)
    response = await log_in(committing_client)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    new = {"email": f"other-{EMAIL}", "password": PASSWORD}
    assert (await committing_client.post(f"{AUTH}/register", json=new)).status_code == 503
    work.end.set()
    await running
    assert (await log_in(committing_client)).status_code == 200

"""The queue of passwords to hash: bounded, and without those of clients that have disconnected.

uvicorn does not cancel a request whose client disconnects. Without this queue, a flood of requests
without waiting clients would delay later logins by the time of all its hashes.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from app.auth.client_connection import current_receive, has_disconnected, wait_for_disconnect
from app.auth.errors import ClientDisconnectedError, HashQueueFullError

ResultT = TypeVar("ResultT")


async def _require_client() -> None:
    """Raise `ClientDisconnectedError` if the client of the current request has disconnected."""
    receive = current_receive.get()
    if receive is not None and await has_disconnected(receive):
        raise ClientDisconnectedError


class HashQueue:
    """Runs functions in `concurrency` threads, while at most `size` other calls wait.

    A call that waits leaves the queue as soon as its task is cancelled or its client disconnects. A
    function that has begun occupies its thread until it ends. The threads live as long as the
    process.
    """

    def __init__(self, concurrency: int, size: int) -> None:
        self._threads = ThreadPoolExecutor(concurrency, "passwords")
        self._free_threads = concurrency
        self._size = size
        # The calls that wait for a thread, oldest first.
        self._turns: deque[asyncio.Future[None]] = deque()

    async def run(self, function: Callable[[], ResultT]) -> ResultT:
        """Run the function in a thread and return its result.

        Raises `HashQueueFullError` if too many calls are waiting, and `ClientDisconnectedError` if
        the client of the current request has disconnected before the function has begun.
        """
        await self._take_thread()
        try:
            await _require_client()
            running = self._threads.submit(function)
        except BaseException:
            self._release_thread()
            raise
        loop = asyncio.get_running_loop()

        def release(_: Future[ResultT]) -> None:
            # The event loop is closed if the process has ended a cancelled call.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._release_thread)

        # Not after the `await`, which a cancelled request leaves while its thread is still hashing.
        running.add_done_callback(release)
        return await asyncio.wrap_future(running)

    async def _take_thread(self) -> None:
        """Reserve a thread, or wait for one."""
        if self._free_threads:
            self._free_threads -= 1
            return
        if len(self._turns) >= self._size:
            raise HashQueueFullError
        turn = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        watch = self._watch_client(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._leave(turn)
            elif turn.exception() is None:
                # The thread was assigned just before the cancellation.
                self._release_thread()
            raise
        finally:
            if watch is not None:
                watch.cancel()

    def _watch_client(self, turn: asyncio.Future[None]) -> asyncio.Task[None] | None:
        """Start a task that removes the turn from the queue when the client disconnects."""
        receive = current_receive.get()
        if receive is None:
            return None

        def abandon(watch: asyncio.Task[None]) -> None:
            if not watch.cancelled() and not turn.done():
                self._leave(turn)
                turn.set_exception(ClientDisconnectedError())

        watch = asyncio.create_task(wait_for_disconnect(receive))
        watch.add_done_callback(abandon)
        return watch

    def _leave(self, turn: asyncio.Future[None]) -> None:
        # `_release_thread` has removed the turn if it was cancelled in the same iteration.
        with suppress(ValueError):
            self._turns.remove(turn)

    def _release_thread(self) -> None:
        """Assign the thread to the call that has waited longest, if there is one."""
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free_threads += 1

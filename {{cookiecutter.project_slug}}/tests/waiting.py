"""Wait for a condition that another task, thread or process makes true."""

import asyncio
from collections.abc import Awaitable, Callable


async def wait_until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until `condition` returns a true value. Raises `TimeoutError` after a minute."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.02)

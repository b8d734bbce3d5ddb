"""Steps of a transaction that a cancelled task must not interrupt."""

import asyncio
from collections.abc import Coroutine
from typing import Any

# The event loop has only weak references to tasks, so a task without another reference could be
# garbage-collected before the end of its step.
_unfinished_steps: set[asyncio.Task[None]] = set()


async def finish_despite_cancellation(last_step: Coroutine[Any, Any, None]) -> None:
    """Run the last step of a transaction to its end, even if the calling task is cancelled.

    The step runs in a second task. If the calling task is cancelled, `CancelledError` is raised in
    the calling task at once, while the second task continues. If the step fails after that, asyncio
    logs the error ("Task exception was never retrieved").

    The step must also return the connection to the pool, so that the connection is not used by
    anything else before the step has ended.
    """
    task = asyncio.create_task(last_step)
    _unfinished_steps.add(task)
    task.add_done_callback(_unfinished_steps.discard)
    await asyncio.shield(task)

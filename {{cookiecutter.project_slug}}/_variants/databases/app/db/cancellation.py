"""Steps of a connection that a cancelled request must not interrupt."""

from collections.abc import Awaitable, Callable
from typing import Any

from anyio import fail_after
from asyncpg.exceptions import PostgresError

from app.db.guarded_connection import GuardedConnection, terminate
from app.errors import UnavailableError

# Seconds for BEGIN, COMMIT or ROLLBACK, and for returning a connection.
_STEP_TIMEOUT = 5


async def finish_despite_cancellation(
    step: Callable[[], Awaitable[Any]], driver: GuardedConnection
) -> None:
    """Run a step to its end although the request is cancelled. Close the connection if it fails.

    What happens depends on how the request is cancelled:

    - An anyio scope, as Starlette uses them, waits until the step has ended.
    - `asyncio.Task.cancel()`, with which uvicorn ends requests in a shutdown, interrupts the step.
      The connection is closed, so the pool replaces it.

    `asyncio.timeout` cannot hold back an anyio scope, so this uses the shield of anyio. With
    `asyncio.shield`, the caller would return the connection while the step is still running.

    Raises `UnavailableError` if the step exceeds its timeout. Raises `PostgresError` if the server
    rejects the step: the connection then stays open.
    """
    try:
        with fail_after(_STEP_TIMEOUT, shield=True):
            await step()
    except PostgresError:
        # The server has rejected the step, for example because of a deferred constraint, and the
        # connection can be used again. If the server has closed the connection, as in a shutdown,
        # the pool detects that before the next use.
        raise
    except BaseException as error:
        terminate(driver)
        if isinstance(error, TimeoutError):
            raise UnavailableError("The database does not respond.") from error
        raise

"""Steps of a connection that a cancelled request must not interrupt."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from anyio import fail_after
from asyncpg.exceptions import InterfaceError, PostgresError

from app.db.guarded_connection import GuardedConnection, SuppressedError, terminate
from app.errors import UnavailableError

logger = logging.getLogger(__name__)

# Seconds for BEGIN, COMMIT or ROLLBACK, and for returning a connection.
_STEP_TIMEOUT = 5


async def finish_despite_cancellation(
    step: Callable[[], Awaitable[Any]], *, terminate_on_failure: GuardedConnection
) -> None:
    """Run a step to its end although the request is cancelled. Close the connection if it fails.

    What happens depends on how the request is cancelled:

    - Cancel scopes of anyio, such as those of Starlette, wait until the step has ended.
    - `asyncio.Task.cancel()`, with which uvicorn ends requests in a shutdown, interrupts the step.
      The connection is closed, and the pool replaces the connection.

    The timeout is `anyio.fail_after`, because `asyncio.timeout` has no shield from cancel scopes.
    The shield is not `asyncio.shield`, because a cancelled caller would then return the connection
    while the step is still running.

    Raises `UnavailableError` if the step exceeds its timeout. Raises `PostgresError` or
    `SuppressedError` if the server rejects the step: the connection then stays open.
    """
    try:
        with fail_after(_STEP_TIMEOUT, shield=True):
            await step()
    except (PostgresError, SuppressedError):
        # The server has rejected the step, for example because of a deferred constraint, and the
        # connection can be used again. If the server has closed the connection, as in a shutdown,
        # the pool detects that before the next use.
        raise
    except BaseException as error:
        terminate(terminate_on_failure)
        if isinstance(error, TimeoutError):
            raise UnavailableError("The database does not respond.") from error
        raise


@asynccontextmanager
async def transaction_block(
    driver: GuardedConnection, *, readonly: bool = False
) -> AsyncIterator[None]:
    """Run the block in a transaction: commit, or roll back if the block raises.

    Within a transaction, the block has a savepoint instead.

    Raises `UnavailableError` if a step of the transaction times out.
    """
    # asyncpg's transaction: that of `databases` loses its connection if the task is cancelled
    # during BEGIN or COMMIT.
    transaction = driver.transaction(readonly=readonly)
    await finish_despite_cancellation(transaction.start, terminate_on_failure=driver)
    try:
        yield
    except BaseException:
        try:
            await finish_despite_cancellation(transaction.rollback, terminate_on_failure=driver)
        except InterfaceError:
            # The connection is closed, so the server has rolled back.
            pass
        except Exception:
            # Not raised, because it would hide the original error.
            logger.warning("Rollback failed", exc_info=True)
        raise
    await finish_despite_cancellation(transaction.commit, terminate_on_failure=driver)

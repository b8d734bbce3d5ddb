"""Rate limits of routes, counted per network of the client and shared by all processes.

    @router.post(
        "/contact",
        dependencies=[Depends(limited("contact", 20, per=3600))],
        responses=error_responses(429),
    )

A period begins with the first request of a network. Within it, `limit` requests are allowed, and
ten times as many from an IPv6 /48 network. The count is committed before the route runs, so a
request also counts if the route fails. A rejected request does not count.

Requests are counted in rows of `rate_limits`, which concurrent requests from one network lock.
They wait for each other for the duration of a short transaction, and cannot exceed the limit.
"""

from collections.abc import Awaitable, Callable

from app.api.dependencies import DatabaseDep
from app.auth.client_networks import SITE_FACTOR, ClientNetworks
from app.auth.dependencies import ClientIp
from app.auth.errors import TooManyRequestsError
from app.db import Database
from app.db.repositories.rate_limits import RateLimitWriter


def limited(name: str, limit: int, *, per: float) -> Callable[..., Awaitable[None]]:
    """Return a dependency that allows `limit` requests of a client network in `per` seconds.

    Routes with the same name, of at most 64 characters, share the count.

    The dependency raises `TooManyRequestsError`: document the status 429.
    """

    async def count_request(database: DatabaseDep, client_ip: ClientIp) -> None:
        await _count(database, name, limit, per, ClientNetworks.of(client_ip))

    return count_request


async def _count(
    database: Database, name: str, limit: int, per: float, networks: ClientNetworks
) -> None:
    # The wider network first: all transactions lock rows in this order, so they cannot deadlock.
    limits = {} if networks.site is None else {networks.site: limit * SITE_FACTOR}
    limits[networks.network] = limit
    async with database.transaction() as transaction:
        counts = RateLimitWriter(transaction)
        for network, maximum in limits.items():
            retry_after = await counts.increment(name, network, maximum, per)
            if retry_after is not None:
                # The exception rolls back the count of the wider network.
                raise TooManyRequestsError(retry_after=retry_after)

"""Counts of requests for rate limits: see `app.auth.rate_limits`.

All times are those of the database server, whose clock all processes share.
"""

from sqlalchemy import (
    Float,
    Integer,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert

from app.db.models.rate_limits import rate_limits
from app.db.repositories.base import Writer

_PERIOD = bindparam("period", type_=Float) * literal_column("interval '1 second'")
_HAS_EXPIRED = rate_limits.c.expires_at <= func.now()
_NEW = insert(rate_limits).values(
    name=bindparam("name"),
    network=bindparam("network"),
    count=1,
    expires_at=func.now() + _PERIOD,
)
# Returns no row if the limit is reached, and changes nothing, but locks the row.
INCREMENT = _NEW.on_conflict_do_update(
    index_elements=[rate_limits.c.name, rate_limits.c.network],
    set_={
        "count": case((_HAS_EXPIRED, 1), else_=rate_limits.c.count + 1),
        "expires_at": case(
            (_HAS_EXPIRED, _NEW.excluded.expires_at), else_=rate_limits.c.expires_at
        ),
    },
    where=_HAS_EXPIRED | (rate_limits.c.count < bindparam("limit", type_=Integer)),
).returning(rate_limits.c.count)
REMAINING = select(
    func.date_part("epoch", rate_limits.c.expires_at - func.now()).label("seconds")
).where(rate_limits.c.name == bindparam("name"), rate_limits.c.network == bindparam("network"))
# SKIP LOCKED: ignore rows that requests are using.
_EXPIRED = (
    select(rate_limits.c.name, rate_limits.c.network)
    .where(_HAS_EXPIRED)
    .with_for_update(skip_locked=True)
)
DELETE_EXPIRED = delete(rate_limits).where(
    tuple_(rate_limits.c.name, rate_limits.c.network).in_(_EXPIRED)
)


class RateLimitWriter(Writer):
    """Counts requests."""

    table = rate_limits

    async def increment(self, name: str, network: str, limit: int, period: float) -> float | None:
        """Count a request, unless `limit` requests have been counted in this period.

        Return None, or the remaining seconds of the period if the limit is reached. A new period
        of `period` seconds begins if the previous one has ended. The row is locked until the
        transaction ends.
        """
        key = {"name": name, "network": network}
        values = {**key, "limit": limit, "period": period}
        if await self._transaction.scalar(INCREMENT, values) is not None:
            return None
        remaining: float = (await self.fetch_one(REMAINING, **key)).seconds
        return remaining

    async def delete_expired(self) -> int:
        """Delete the counts of periods that have ended; return how many."""
        return (await self._transaction.execute(DELETE_EXPIRED)).rowcount

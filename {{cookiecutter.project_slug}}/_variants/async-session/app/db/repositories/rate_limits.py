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

from app.db.models.rate_limits import RateLimit
from app.db.repositories.base import Writer

_PERIOD = bindparam("period", type_=Float) * literal_column("interval '1 second'")
_HAS_EXPIRED = RateLimit.expires_at <= func.now()
_NEW = insert(RateLimit.__table__).values(
    name=bindparam("name"),
    network=bindparam("network"),
    count=1,
    expires_at=func.now() + _PERIOD,
)
# Returns no row if the limit is reached, and changes nothing, but locks the row.
INCREMENT = _NEW.on_conflict_do_update(
    index_elements=[RateLimit.name, RateLimit.network],
    set_={
        "count": case((_HAS_EXPIRED, 1), else_=RateLimit.count + 1),
        "expires_at": case((_HAS_EXPIRED, _NEW.excluded.expires_at), else_=RateLimit.expires_at),
    },
    where=_HAS_EXPIRED | (RateLimit.count < bindparam("limit", type_=Integer)),
).returning(RateLimit.count)
REMAINING = select(
    func.date_part("epoch", RateLimit.expires_at - func.now()).label("seconds")
).where(RateLimit.name == bindparam("name"), RateLimit.network == bindparam("network"))
# SKIP LOCKED: ignore rows that requests are using.
_EXPIRED = (
    select(RateLimit.name, RateLimit.network).where(_HAS_EXPIRED).with_for_update(skip_locked=True)
)
DELETE_EXPIRED = (
    delete(RateLimit)
    .where(tuple_(RateLimit.name, RateLimit.network).in_(_EXPIRED))
    .returning(RateLimit.name)
)


class RateLimitWriter(Writer):
    """Counts requests."""

    model = RateLimit

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
        deleted = await self._transaction.execute(
            DELETE_EXPIRED, execution_options={"synchronize_session": False}
        )
        return len(deleted.all())

"""Coupons: each has been redeemed once."""

from collections.abc import Callable, Mapping

from app.settings import Settings


async def values(_: Settings) -> Mapping[str, Callable[[int], object]]:
    """Return the numbers of redemptions, in total and remaining."""
    return {"init_count": lambda number: number + 1, "remaining_count": lambda number: number}

"""Audit events: sessions that an operator has ended."""

from collections.abc import Callable, Mapping

from app.settings import Settings


async def values(_: Settings) -> Mapping[str, Callable[[int], object]]:
    """Return the action, and no administrator and no request."""
    return {
        "action": lambda _: "end-sessions",
        "actor_id": lambda _: None,
        "request_id": lambda _: None,
    }

"""Rate-limited log of failures to connect.

When the database is unavailable, every request fails to connect. One warning every few seconds is
enough.
"""

import logging
from time import monotonic

logger = logging.getLogger(__name__)

# Seconds between two warnings.
_WARNING_INTERVAL = 10


class ConnectFailureLog:
    """Log of the failures of one pool to connect."""

    def __init__(self) -> None:
        self._next_warning = 0.0

    def warn(self, error: BaseException) -> None:
        """Log a failure to connect, at most once per `_WARNING_INTERVAL`."""
        if monotonic() > self._next_warning:
            self._next_warning = monotonic() + _WARNING_INTERVAL
            logger.warning("Cannot connect to the database: %r", error)

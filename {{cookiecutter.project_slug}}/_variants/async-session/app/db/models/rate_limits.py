"""Requests of limited routes, counted by `app.auth.rate_limits`."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class RateLimit(Base):
    """The requests of a network in the current period."""

    __tablename__ = "rate_limits"

    #: The name of the limit.
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: An IPv4 address, or an IPv6 /64 or /48 network.
    network: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    #: End of the period.
    expires_at: Mapped[datetime] = mapped_column(index=True)

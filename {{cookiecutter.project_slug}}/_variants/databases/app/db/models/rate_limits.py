"""Requests of limited routes, counted by `app.auth.rate_limits`."""

from sqlalchemy import Column, DateTime, Integer, String, Table

from app.db.base import metadata

# A row has the number of requests of a network in the current period, which ends at `expires_at`.
rate_limits = Table(
    "rate_limits",
    metadata,
    # The name of the limit.
    Column("name", String(64), primary_key=True),
    # An IPv4 address, or an IPv6 /64 or /48 network.
    Column("network", String(64), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
)

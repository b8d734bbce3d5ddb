"""Failed logins and wrong current passwords, for login throttling.

`account` is the `account_key` of a `PasswordAttempt`: a hash of the e-mail, or `user:<id>` for a
wrong current password. `address` is the client's IPv4 address or IPv6 /64 network, and `site` its
IPv6 /48 network, or NULL.
"""

from sqlalchemy import BigInteger, Column, Identity, Index, String, Table

from app.db.base import created_at_column, metadata

login_failures = Table(
    "login_failures",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("site", String(64)),
    created_at_column(),
    Index("ix_login_failures_account", "account", "created_at"),
    Index("ix_login_failures_address", "address", "created_at"),
    Index("ix_login_failures_site", "site", "created_at"),
    Index("ix_login_failures_created_at", "created_at"),
)

"""Failed logins and wrong current passwords, for login throttling.

`account` is the `account_key` of a `PasswordAttempt`: a hash of the e-mail, or `user:<id>` for a
wrong current password. `address` is the client's IPv4 address or IPv6 /64 network, and `site` its
IPv6 /48 network, or NULL.
"""

from sqlalchemy import BigInteger, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, CreatedAtMixin


class LoginFailure(CreatedAtMixin, Base):
    """One failed login attempt."""

    __tablename__ = "login_failures"
    __table_args__ = (
        Index("ix_login_failures_account", "account", "created_at"),
        Index("ix_login_failures_address", "address", "created_at"),
        Index("ix_login_failures_site", "site", "created_at"),
        Index("ix_login_failures_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    account: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    site: Mapped[str | None] = mapped_column(String(64))

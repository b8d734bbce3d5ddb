"""Storage on SQLAlchemy's AsyncSession: what the rest of the service may use of it."""

from app.db.base import metadata
from app.db.database import Database, Transaction

__all__ = ["Database", "Transaction", "metadata"]

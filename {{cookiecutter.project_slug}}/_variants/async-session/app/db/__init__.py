"""Database layer on SQLAlchemy's AsyncSession: the names that other packages import."""

from app.db.base import Row, metadata
from app.db.database import Database, Transaction

__all__ = ["Database", "Row", "Transaction", "metadata"]

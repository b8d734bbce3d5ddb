"""Database layer on `databases` and SQLAlchemy Core: the names that other packages import."""

from app.db.base import Row, metadata
from app.db.database import Database
from app.db.transaction import Transaction

__all__ = ["Database", "Row", "Transaction", "metadata"]

"""Models that only tests use, and their writers: customers and their invoices."""

from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Enum, ForeignKey, MetaData, Numeric, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Transaction
from app.db.base import Base, CreatedAtMixin, UpdatedAtMixin, UuidPrimaryKeyMixin
from app.db.naming import NAMING_CONVENTION
from app.db.repositories.base import Writer


class Status(StrEnum):
    """State of an invoice."""

    DRAFT = "draft"
    SENT = "sent"


class _TestBase(Base):
    # Separate metadata, so that the tables do not count as models without a migration.
    __abstract__ = True
    metadata = MetaData(naming_convention=NAMING_CONVENTION)


metadata = _TestBase.metadata


class Customer(UuidPrimaryKeyMixin, _TestBase):
    """A customer."""

    __tablename__ = "customers_of_tests"

    email: Mapped[str] = mapped_column(String(99), unique=True)
    metadata_: Mapped[dict[str, Any]] = mapped_column(
        "metadata", JSONB, server_default=text("'{}'")
    )
    tags: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=text("'{}'"))


class Invoice(UuidPrimaryKeyMixin, CreatedAtMixin, UpdatedAtMixin, _TestBase):
    """An invoice of a customer."""

    __tablename__ = "invoices_of_tests"
    __table_args__ = (UniqueConstraint("customer_id", "number"),)

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers_of_tests.id"))
    number: Mapped[int]
    status: Mapped[Status] = mapped_column(Enum(Status, native_enum=False, length=5))
    amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    note: Mapped[str | None] = mapped_column(unique=True)


class Payment(_TestBase):
    """A payment of an invoice."""

    __tablename__ = "payments_of_tests"

    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoices_of_tests.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    payer: Mapped[UUID | None]


class CustomerWriter(Writer):
    """Creates, updates and deletes customers."""

    model = Customer


class InvoiceWriter(Writer):
    """Creates, updates and deletes the invoices of one customer."""

    model = Invoice

    def __init__(self, transaction: Transaction, customer_id: UUID) -> None:
        super().__init__(transaction, customer_id=customer_id)


class PaymentWriter(Writer):
    """Creates, updates and deletes payments, which have a key of two columns."""

    model = Payment

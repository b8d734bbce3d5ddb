"""Tables that only tests create, and their writers: customers and their invoices."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    Column,
    Enum,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db import Transaction
from app.db.base import created_at_column, updated_at_column, uuid_primary_key
from app.db.naming import NAMING_CONVENTION
from app.db.repositories.base import Writer


class Status(StrEnum):
    """State of an invoice."""

    DRAFT = "draft"
    SENT = "sent"


# Separate metadata, so that the tables do not count as models without a migration.
metadata = MetaData(naming_convention=NAMING_CONVENTION)

customers = Table(
    "customers_of_tests",
    metadata,
    uuid_primary_key(),
    Column("email", String(99), nullable=False, unique=True),
    Column("metadata", JSONB, key="metadata_", nullable=False, server_default=text("'{}'")),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'")),
)

invoices = Table(
    "invoices_of_tests",
    metadata,
    uuid_primary_key(),
    Column("customer_id", ForeignKey("customers_of_tests.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("status", Enum(Status, native_enum=False, length=5), nullable=False),
    Column("amount", Numeric(10, 2), nullable=False),
    Column("note", Text),
    created_at_column(),
    updated_at_column(),
    UniqueConstraint("customer_id", "number"),
    UniqueConstraint("note"),
)

payments = Table(
    "payments_of_tests",
    metadata,
    Column("invoice_id", ForeignKey("invoices_of_tests.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("payer", Uuid),
)


class CustomerWriter(Writer):
    """Creates, updates and deletes customers."""

    table = customers


class InvoiceWriter(Writer):
    """Creates, updates and deletes the invoices of one customer."""

    table = invoices

    def __init__(self, transaction: Transaction, customer_id: UUID) -> None:
        super().__init__(transaction, customer_id=customer_id)


class PaymentWriter(Writer):
    """Creates, updates and deletes payments, which have a key of two columns."""

    table = payments

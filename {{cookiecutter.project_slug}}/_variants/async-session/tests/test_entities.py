"""Entities with relationships, on tables of these tests."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import ForeignKey, MetaData, select
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.orm import (
    Mapped,
    configure_mappers,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)
from sqlalchemy.sql.base import ExecutableOption

from app.db import Database
from app.db.base import Base, UuidPrimaryKeyMixin
from app.db.repositories.base import Reader
from app.errors import AlreadyExistsError
from app.settings import Settings
from tests.connection_pool import assert_intact
from tests.databases import connected, url_from
from tests.isolation import isolated


class _TestBase(Base):
    # Separate metadata, so that the tables do not count as models without a migration.
    __abstract__ = True
    metadata = MetaData()


class Shelf(UuidPrimaryKeyMixin, _TestBase):
    """A parent."""

    __tablename__ = "shelves_of_tests"

    name: Mapped[str]
    books: Mapped[list["Book"]] = relationship(
        back_populates="shelf", lazy="raise", order_by="Book.title"
    )


class Book(UuidPrimaryKeyMixin, _TestBase):
    """A child."""

    __tablename__ = "books_of_tests"

    shelf_id: Mapped[UUID] = mapped_column(ForeignKey("shelves_of_tests.id"))
    title: Mapped[str]
    shelf: Mapped[Shelf] = relationship(back_populates="books", lazy="raise")


SHELVES = select(Shelf).order_by(Shelf.name)


@pytest.fixture(autouse=True)
async def tables(settings: Settings) -> AsyncIterator[None]:
    """Create the tables, and drop them after the test."""
    async with connected(url_from(settings)) as connection:
        await connection.execute(
            "CREATE TABLE shelves_of_tests (id uuid PRIMARY KEY DEFAULT uuidv7(),"
            " name text NOT NULL UNIQUE);"
            "CREATE TABLE books_of_tests (id uuid PRIMARY KEY DEFAULT uuidv7(),"
            " title text NOT NULL, shelf_id uuid NOT NULL REFERENCES shelves_of_tests)"
        )
        yield
        await connection.execute("DROP TABLE books_of_tests, shelves_of_tests")


async def create_shelves(database: Database) -> None:
    async with database.transaction() as transaction:
        transaction.add(Shelf(name="a", books=[Book(title="a1"), Book(title="a2")]))
        transaction.add(Shelf(name="b", books=[Book(title="b1")]))


@pytest.mark.parametrize("option", [selectinload(Shelf.books), joinedload(Shelf.books)])
async def test_session_loads_relationships(pool_of_two: Database, option: ExecutableOption) -> None:
    await create_shelves(pool_of_two)
    async with pool_of_two.read_session() as session:
        shelves = (await session.scalars(SHELVES.options(option))).unique().all()
    # After the end of the session.
    titles = [[book.title for book in shelf.books] for shelf in shelves]
    assert titles == [["a1", "a2"], ["b1"]]
    await assert_intact(pool_of_two)


async def test_isolated_database_reads_its_own_entities(database: Database) -> None:
    async with isolated(database) as isolated_database:
        await create_shelves(isolated_database)
        async with isolated_database.read_session() as session:
            assert len((await session.scalars(SHELVES)).all()) == 2
        async with isolated_database.read_session() as session:
            assert len((await session.scalars(SHELVES)).all()) == 2
    assert await Reader(database).fetch_all(SHELVES) == []


async def test_relationship_that_is_not_loaded_raises(database: Database) -> None:
    await create_shelves(database)
    async with database.read_session() as session:
        shelf = (await session.scalars(SHELVES)).first()
        assert shelf is not None
        with pytest.raises(InvalidRequestError, match="lazy"):
            _ = shelf.books


async def test_session_for_reading_cannot_write(pool_of_two: Database) -> None:
    await create_shelves(pool_of_two)
    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with pool_of_two.read_session() as session:
            session.add(Shelf(name="c"))
            await session.commit()
    assert len(await Reader(pool_of_two).fetch_all(SHELVES)) == 2
    await assert_intact(pool_of_two)


async def test_error_of_a_flush_can_be_handled(database: Database) -> None:
    await create_shelves(database)
    async with database.transaction() as transaction:
        with pytest.raises(AlreadyExistsError):
            async with transaction.savepoint():
                transaction.add(Shelf(name="a"))
        transaction.add(Shelf(name="c"))
    assert len(await Reader(database).fetch_all(SHELVES)) == 3


async def test_entity_added_after_the_end_is_not_lost_in_silence(database: Database) -> None:
    async with database.transaction() as transaction:
        pass
    with pytest.raises(RuntimeError, match=r"database\.run"):
        transaction.add(Shelf(name="lost"))


def test_lazy_relationship_is_rejected() -> None:
    with pytest.raises(TypeError, match=r'Label\.shelf must be lazy="raise"'):

        class Label(UuidPrimaryKeyMixin, _TestBase):
            __tablename__ = "labels_of_tests"

            shelf_id: Mapped[UUID] = mapped_column(ForeignKey("shelves_of_tests.id"))
            shelf: Mapped[Shelf] = relationship()

    # As the first query does, or an option such as `selectinload` at module level.
    configure_mappers()
    with pytest.raises(TypeError, match=r'Stamp\.shelf must be lazy="raise"'):

        class Stamp(UuidPrimaryKeyMixin, _TestBase):
            __tablename__ = "stamps_of_tests"

            shelf_id: Mapped[UUID] = mapped_column(ForeignKey("shelves_of_tests.id"))
            shelf: Mapped[Shelf] = relationship(lazy="select")


def test_backref_is_rejected() -> None:
    with pytest.raises(TypeError, match=r"Tag\.shelf must use back_populates"):

        class Tag(UuidPrimaryKeyMixin, _TestBase):
            __tablename__ = "tags_of_tests"

            shelf_id: Mapped[UUID] = mapped_column(ForeignKey("shelves_of_tests.id"))
            shelf: Mapped[Shelf] = relationship(lazy="raise", backref="tags")

"""The usual pattern, as in the documentation of FastAPI and SQLAlchemy.

One session per request, from a dependency with `yield` that commits after the route function; ORM
entities; statements built in each request; connections checked before use; OFFSET pagination.

https://fastapi.tiangolo.com/tutorial/sql-databases/
https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html
https://docs.sqlalchemy.org/en/21/core/pooling.html#disconnect-handling-pessimistic
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from middleware_stack import database_url, make_app
from sqlalchemy import DateTime, ForeignKey, func, literal_column, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.errors import ConflictError, NotFoundError
from app.schemas.articles import ArticleCreate, ArticleRead
from app.schemas.coupons import RedemptionRead
from app.schemas.fields import NO_NUL_PATTERN
from app.settings import load_settings


class Base(DeclarativeBase):
    """Base class of the models."""


class Article(Base):
    """An article with a unique slug."""

    __tablename__ = "articles"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    title: Mapped[str]
    slug: Mapped[str]
    text: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Coupon(Base):
    """A code that can be redeemed a limited number of times."""

    __tablename__ = "coupons"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    code: Mapped[str]
    init_count: Mapped[int]
    remaining_count: Mapped[int]


class Redemption(Base):
    """One redemption of a coupon."""

    __tablename__ = "redemptions"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    coupon_id: Mapped[UUID] = mapped_column(ForeignKey("coupons.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


# Not an attribute of the entity, so that SELECT does not return it with every row.
SEARCH_VECTOR: Any = literal_column("search_vector")

router = APIRouter(prefix="/api/v1")


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Provide one session per request, and commit it."""
    async with request.app.state.sessions() as session:
        yield session
        await session.commit()


SessionDep = Annotated[AsyncSession, Depends(get_session)]


@router.get("/articles/{article_id}", response_model=ArticleRead)
async def get_article(article_id: UUID, session: SessionDep) -> Article:
    """Get an article by ID."""
    article = await session.get(Article, article_id)
    if article is None:
        raise NotFoundError
    return article


@router.get("/articles", response_model=list[ArticleRead])
async def list_articles(
    session: SessionDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0)] = 0,
    q: Annotated[str | None, Query(max_length=200, pattern=NO_NUL_PATTERN)] = None,
) -> Sequence[Article]:
    """List articles, newest first."""
    statement = select(Article).order_by(Article.id.desc()).offset(offset).limit(limit)
    if q:
        matches = SEARCH_VECTOR.bool_op("@@")
        statement = statement.where(matches(func.websearch_to_tsquery("english", q)))
    return (await session.scalars(statement)).all()


@router.post("/articles", status_code=201, response_model=ArticleRead)
async def create_article(new: ArticleCreate, session: SessionDep) -> Article:
    """Create an article."""
    article = Article(**new.model_dump())
    session.add(article)
    await session.flush()
    return article


@router.post("/coupons/{coupon_id}/redemptions", status_code=201, response_model=RedemptionRead)
async def redeem_coupon(coupon_id: UUID, session: SessionDep) -> Redemption:
    """Redeem a coupon."""
    coupon = await session.get(Coupon, coupon_id, with_for_update=True)
    if coupon is None:
        raise NotFoundError
    if not coupon.remaining_count:
        raise ConflictError("This coupon has been fully redeemed.")
    coupon.remaining_count -= 1
    redemption = Redemption(coupon_id=coupon_id)
    session.add(redemption)
    await session.flush()
    return redemption


def create_app() -> FastAPI:
    """Create the application with the project's middleware."""
    settings = load_settings()
    url = make_url(database_url(settings)).set(drivername="postgresql+asyncpg")

    @asynccontextmanager
    async def open_engine(app: FastAPI) -> AsyncIterator[None]:
        # The same pool size as the other services. With SQLAlchemy's defaults, connections beyond
        # the fifth would be closed after each use.
        engine = create_async_engine(
            url, pool_pre_ping=True, pool_size=settings.database.pool_max_size, max_overflow=0
        )
        app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
        yield
        await engine.dispose()

    return make_app(settings, router, open_engine)

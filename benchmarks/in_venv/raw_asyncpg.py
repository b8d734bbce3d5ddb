"""Lower bound of the cost: routes that run SQL directly on an asyncpg pool.

The schemas and the pagination are those of the project. The SQL is as simple as possible.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
from fastapi import APIRouter, FastAPI, Query, Request, Response
from middleware_stack import database_url, make_app

from app.api.cursors import CursorCodec
from app.api.paths import location_of, request_path
from app.db.repositories.articles import ArticleReader
from app.errors import ConflictError, NotFoundError
from app.schemas.articles import ArticleCreate, ArticleRead
from app.schemas.coupons import RedemptionRead
from app.schemas.fields import NO_NUL_PATTERN
from app.settings import load_settings

BY_ID = "SELECT id, title, slug, text, created_at FROM articles WHERE id = $1"
PAGE = (
    "SELECT id, title, slug, text, created_at FROM articles {} "
    "ORDER BY created_at DESC, id DESC LIMIT $1"
)
AFTER = "WHERE (created_at, id) < ($2, $3)"
MATCHES = "search_vector @@ websearch_to_tsquery('english', {})"

#: By (has a cursor, has a search term).
PAGES = {
    (False, False): PAGE.format(""),
    (True, False): PAGE.format(AFTER),
    (False, True): PAGE.format("WHERE " + MATCHES.format("$2")),
    (True, True): PAGE.format(f"{AFTER} AND {MATCHES.format('$4')}"),
}
CURSORS = CursorCodec(ArticleReader.rows)

CREATE = (
    "INSERT INTO articles (title, slug, text) VALUES ($1, $2, $3) "
    "RETURNING id, title, slug, text, created_at"
)
DECREMENT_REMAINING = (
    "UPDATE coupons SET remaining_count = remaining_count - 1 "
    "WHERE id = $1 AND remaining_count > 0 RETURNING id"
)
INSERT_REDEMPTION = (
    "INSERT INTO redemptions (coupon_id) VALUES ($1) RETURNING id, coupon_id, created_at"
)

router = APIRouter()


@router.get("/livez")
async def livez() -> dict[str, str]:
    """Respond without database access, to measure the load generator."""
    return {"status": "ok"}


@router.get("/api/v1/articles/{article_id}")
async def get_article(article_id: UUID, request: Request) -> ArticleRead:
    """Get an article by ID."""
    async with request.app.state.pool.acquire() as connection:
        row = await connection.fetchrow(BY_ID, article_id)
    if row is None:
        raise NotFoundError
    return ArticleRead(**row)


@router.get("/api/v1/articles")
async def list_articles(
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[str | None, Query(pattern=CURSORS.pattern)] = None,
    q: Annotated[str | None, Query(max_length=200, pattern=NO_NUL_PATTERN)] = None,
) -> list[ArticleRead]:
    """List articles, newest first."""
    values: list[Any] = []
    if after:
        _, position = CURSORS.decode(after)
        values += [position.value, position.key]
    values += [q] if q else []
    async with request.app.state.pool.acquire() as connection:
        rows = await connection.fetch(PAGES[bool(after), bool(q)], limit + 1, *values)
    if len(rows) > limit:
        parameters = [item for item in request.query_params.multi_items() if item[0] != "after"]
        parameters.append(
            ("after", CURSORS.encode("-created_at", SimpleNamespace(**rows[limit - 1])))
        )
        path = request_path(request.scope)
        response.headers["Link"] = f'<{path}?{urlencode(parameters)}>; rel="next"'
    return [ArticleRead(**row) for row in rows[:limit]]


@router.post("/api/v1/articles", status_code=201)
async def create_article(new: ArticleCreate, request: Request, response: Response) -> ArticleRead:
    """Create an article."""
    async with request.app.state.pool.acquire() as connection:
        row = await connection.fetchrow(CREATE, new.title, new.slug, new.text)
    response.headers["Location"] = location_of(request.scope, row["id"])
    return ArticleRead(**row)


@router.post("/api/v1/coupons/{coupon_id}/redemptions", status_code=201)
async def redeem_coupon(coupon_id: UUID, request: Request) -> RedemptionRead:
    """Redeem a coupon."""
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(DECREMENT_REMAINING, coupon_id) is None:
            raise ConflictError("This coupon has been fully redeemed.")
        row = await connection.fetchrow(INSERT_REDEMPTION, coupon_id)
    return RedemptionRead(**row)


def create_app(*, has_middleware: bool = True) -> FastAPI:
    """Create the application, by default with the project's middleware."""
    settings = load_settings()
    sizes: dict[str, Any] = {
        "min_size": settings.database.pool_min_size,
        "max_size": settings.database.pool_max_size,
    }

    @asynccontextmanager
    async def open_pool(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database_url(settings), **sizes) as pool:
            app.state.pool = pool
            yield

    return make_app(settings, router, open_pool, has_middleware=has_middleware)


def create_app_without_middleware() -> FastAPI:
    """Create the application without middleware and access log."""
    return create_app(has_middleware=False)

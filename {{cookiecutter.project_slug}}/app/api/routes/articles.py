"""Articles: `/api/v1/articles`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status

from app.api.dependencies import reader, writer
from app.api.pagination import PageParamsDep
from app.api.paths import encoded_path
from app.api.problem_details import error_responses
from app.db.repositories.articles import ArticleReader, ArticleWriter
from app.schemas.articles import ArticleCreate, ArticleRead, ArticleUpdate
from app.schemas.fields import NO_NUL_PATTERN

router = APIRouter(prefix="/api/v1/articles", tags=["articles"])

ArticleReaderDep = Annotated[ArticleReader, Depends(reader(ArticleReader))]
ArticleWriterDep = Annotated[ArticleWriter, Depends(writer(ArticleWriter))]

Search = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=NO_NUL_PATTERN,
        description="Words to find in title and text. `-word` excludes a word; alone it finds"
        " nothing.",
        examples=["hello -goodbye"],
    ),
]


@router.get("")
async def list_articles(
    articles: ArticleReaderDep, page: PageParamsDep, q: Search = None
) -> list[ArticleRead]:
    """Articles, newest first."""
    rows = await articles.page(limit=page.fetch, after=page.after, q=q or None)
    return [ArticleRead.model_validate(row) for row in page.show(rows)]


@router.post("", status_code=status.HTTP_201_CREATED, responses=error_responses(409))
async def create_article(
    new: ArticleCreate, articles: ArticleWriterDep, request: Request, response: Response
) -> ArticleRead:
    """Publish an article."""
    article = ArticleRead.model_validate(await articles.create(**new.model_dump()))
    response.headers["Location"] = encoded_path(request.scope, article.id)
    return article


@router.get("/{article_id}", responses=error_responses(404))
async def get_article(article_id: UUID, articles: ArticleReaderDep) -> ArticleRead:
    """One article."""
    return ArticleRead.model_validate(await articles.get(article_id))


@router.patch("/{article_id}", responses=error_responses(404, 409))
async def update_article(
    article_id: UUID, changes: ArticleUpdate, articles: ArticleWriterDep
) -> ArticleRead:
    """Change an article; what is left out stays as it is."""
    return ArticleRead.model_validate(await articles.update(article_id, **changes.model_dump()))


@router.delete(
    "/{article_id}", status_code=status.HTTP_204_NO_CONTENT, responses=error_responses(404)
)
async def delete_article(article_id: UUID, articles: ArticleWriterDep) -> None:
    """Remove an article."""
    await articles.delete(article_id)

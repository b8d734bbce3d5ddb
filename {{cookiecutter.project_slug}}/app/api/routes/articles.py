"""Articles, with full-text search: `/api/v1/articles`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from app.api.dependencies import provide_reader, provide_writer
from app.api.pagination import PageParams, page_params, paginate
from app.api.paths import location_of
from app.api.problem_details import error_responses
# jinja: if cookiecutter.auth
from app.auth.permissions import Allowed
# jinja: endif
from app.db.repositories.articles import ArticleReader, ArticleWriter
from app.schemas.articles import ArticleCreate, ArticleRead, ArticleUpdate

router = APIRouter(prefix="/api/v1/articles", tags=["articles"])

ArticleReaderDep = Annotated[ArticleReader, Depends(provide_reader(ArticleReader))]
# All writers of a request share one transaction. It commits before the response is sent, so a 201
# means that the row is stored (see `app.api.dependencies`).
ArticleWriterDep = Annotated[ArticleWriter, Depends(provide_writer(ArticleWriter))]

ArticleId = Annotated[UUID, Path(description="ID of the article.")]
ArticlePageDep = Annotated[PageParams, Depends(page_params(ArticleReader.rows))]


@router.get("")
async def list_articles(articles: ArticleReaderDep, page: ArticlePageDep) -> list[ArticleRead]:
    """List articles, by default newest first.

    `q` searches titles and texts; matches are in the same order, not by relevance.
    """
    return paginate(page, await articles.list(page), ArticleRead)


@router.post(
    "",
    status_code=201,
    # jinja: if cookiecutter.auth
    dependencies=[Allowed("articles:write")],
    # jinja: endif
    responses=error_responses(409),
)
async def create_article(
    new_article: ArticleCreate, articles: ArticleWriterDep, request: Request, response: Response
) -> ArticleRead:
    """Create an article. Fails with 409 if the slug is already in use."""
    article = ArticleRead.model_validate(await articles.create(**new_article.model_dump()))
    response.headers["Location"] = location_of(request.scope, article.id)
    return article


@router.get("/{article_id}", responses=error_responses(404))
async def get_article(article_id: ArticleId, articles: ArticleReaderDep) -> ArticleRead:
    """Get an article by ID."""
    return ArticleRead.model_validate(await articles.get(article_id))


@router.patch(
    "/{article_id}",
    # jinja: if cookiecutter.auth
    dependencies=[Allowed("articles:write")],
    # jinja: endif
    responses=error_responses(404, 409),
)
async def update_article(
    article_id: ArticleId, changes: ArticleUpdate, articles: ArticleWriterDep
) -> ArticleRead:
    """Update the given fields of an article; the others are unchanged.

    Fails with 409 if the new slug is already in use.
    """
    # `exclude_unset`: a field that is absent from the body is unchanged; null is rejected.
    row = await articles.update(article_id, **changes.model_dump(exclude_unset=True))
    return ArticleRead.model_validate(row)


@router.delete(
    "/{article_id}",
    status_code=204,
    # jinja: if cookiecutter.auth
    dependencies=[Allowed("articles:write")],
    # jinja: endif
    responses=error_responses(404, 409),
)
async def delete_article(article_id: ArticleId, articles: ArticleWriterDep) -> None:
    """Delete an article. Fails with 409 while other resources refer to it."""
    await articles.delete(article_id)

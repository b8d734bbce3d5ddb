"""Query parameters of lists, and the `Link` to the next page.

A list route declares one dependency for the parameters `limit` and `after`, and for the sorts,
the search (`q`) and the filters of its list:

    ArticlePageDep = Annotated[PageParams, Depends(page_params(ArticleReader.rows))]

It passes `page: ArticlePageDep` to the reader, and returns
`paginate(page, await articles.list(page), ArticleRead)`, which also sets the `Link` header.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import Parameter, Signature
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request, Response
from pydantic import BaseModel, TypeAdapter

from app.api.cursors import CursorCodec
from app.api.filter_types import filter_type
from app.api.paths import request_path
from app.db.keyset import KeysetList, PageRequest
from app.schemas.fields import PlainText

ModelT = TypeVar("ModelT", bound=BaseModel)

_Limit = Annotated[int, Query(ge=1, le=100, description="Maximum number of items to return.")]
_SearchQuery = Annotated[
    PlainText | None,
    Query(
        max_length=200,
        description='Full-text search: words, `"phrases"`, `or`, and `-word` to exclude a word.'
        " At least one word is required; exclusions alone match nothing.",
        examples=["hello -goodbye"],
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageParams(PageRequest):
    """Parameters of a list request, and what `paginate` needs to set the `Link` header."""

    codec: CursorCodec
    request: Request
    response: Response


def paginate(page: PageParams, rows: Sequence[Any], model: type[ModelT]) -> list[ModelT]:
    """Convert the rows of the page to the response model.

    If `rows` has more than `page.limit` rows, also set the `Link` header to the next page.
    """
    shown = rows[: page.limit]
    if len(rows) > len(shown):
        next_page = _next_page(page.request, page.codec.encode(page.sort, shown[-1]))
        page.response.headers["Link"] = f'<{next_page}>; rel="next"'
    return _list_of(model).validate_python(shown, from_attributes=True)


@cache
def _list_of(model: type[ModelT]) -> TypeAdapter[list[ModelT]]:
    return TypeAdapter(list[model])  # type: ignore[valid-type]


def _next_page(request: Request, cursor: str) -> str:
    """Return the path and query of the same list after the cursor."""
    query = [item for item in request.query_params.multi_items() if item[0] != "after"]
    return f"{request_path(request.scope)}?{urlencode([*query, ('after', cursor)])}"


def page_params(keyset: KeysetList, **filter_types: Any) -> Callable[..., Awaitable[PageParams]]:
    """Return a dependency that provides the page parameters of a list.

    The types of filters are those of their columns. `filter_types` replaces some by name:
    `has_text=Annotated[bool | None, Query(description="Only articles with a text, or without.")]`.
    A filter that a request omits is None, and is not applied.

    Raises `TypeError` if the type of a filter must be declared, or if there is no such filter.
    """
    if unknown := filter_types.keys() - keyset.filters.keys():
        raise TypeError(f"The list has no such filters: {', '.join(sorted(unknown))}")
    codec = CursorCodec(keyset)
    default_sort = next(iter(keyset.sorts), None)

    # FastAPI passes the parameters of the signature that is set below.
    async def get_page_params(
        request: Request,
        response: Response,
        *,
        limit: int,
        after: str | None,
        sort: str | None = default_sort,
        q: str | None = None,
        **filters: Any,
    ) -> PageParams:
        position = None
        if after is not None:
            # The next pages have the sort of the first one. It is None for a cursor from a version
            # of the service whose list was sorted by the key.
            sort, position = codec.decode(after)
        given = {name: value for name, value in filters.items() if value is not None}
        return PageParams(
            limit, sort, position, given, q, codec=codec, request=request, response=response
        )

    parameters = {
        "request": (Request, Parameter.empty),
        "response": (Response, Parameter.empty),
        "limit": (_Limit, 20),
        "after": (_cursor_type(codec), None),
    }
    if keyset.sorts:
        parameters["sort"] = (_sort_type(keyset), default_sort)
    if keyset.is_searchable:
        parameters["q"] = (_SearchQuery, None)
    for name, condition in keyset.filters.items():
        parameters[name] = (filter_types.get(name) or filter_type(condition), None)
    get_page_params.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in parameters.items()
        ]
    )
    return get_page_params


def _cursor_type(codec: CursorCodec) -> Any:
    description = 'Opaque cursor from the `Link` header (`rel="next"`) of the previous page.'
    return Annotated[
        str | None, Query(pattern=codec.pattern, description=description, examples=[codec.example])
    ]


def _sort_type(keyset: KeysetList) -> Any:
    return Annotated[
        Literal[keyset.sorts],
        Query(
            description="Sort order of the first page; `-` means descending. A cursor continues in"
            " the order of its list."
        ),
    ]

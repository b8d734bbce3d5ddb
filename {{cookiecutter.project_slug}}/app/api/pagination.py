"""Keyset pagination: the parameters `limit` and `after`, and the `Link` to the next page.

A list route declares `page: PageParamsDep`, fetches `page.fetch_limit` rows that follow the key
`page.after`, and returns `paginate(page, rows, ArticleRead)`, which also sets the `Link` header.
Clients see keys as opaque cursors.

A page starts after a row, not at an offset. So all pages cost the same, and rows that are inserted
between two requests do not repeat or hide others.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from app.api.paths import request_path
from app.schemas.fields import NO_NUL_PATTERN

KeyT = TypeVar("KeyT")
ModelT = TypeVar("ModelT", bound=BaseModel)


class CursorCodec(NamedTuple, Generic[KeyT]):
    """Converts the key of a row to a cursor, and back.

    A cursor is a version followed by the bytes of the key in unpadded URL-safe Base64.
    """

    version: str
    #: Matches the cursors of all possible keys and no other text, so `decode` cannot fail.
    pattern: str
    to_bytes: Callable[[KeyT], bytes]
    from_bytes: Callable[[bytes], KeyT]

    def encode(self, key: KeyT) -> str:
        """Return the cursor of a key."""
        return self.version + urlsafe_b64encode(self.to_bytes(key)).decode().rstrip("=")

    def decode(self, cursor: str) -> KeyT:
        """Return the key of a cursor that matches `pattern`."""
        # A key of 8 bytes needs only one `=`, but Python ignores superfluous padding.
        return self.from_bytes(urlsafe_b64decode(cursor[len(self.version) :] + "=="))


UUID_CURSOR = CursorCodec[UUID](
    version="1",
    # 128 bits in 22 characters of 6 bits: the last character has only 2 significant bits.
    pattern=r"^1[A-Za-z0-9_-]{21}[AQgw]$",
    to_bytes=lambda key: key.bytes,
    from_bytes=lambda data: UUID(bytes=data),
)
INTEGER_CURSOR = CursorCodec[int](
    version="2",
    # 64 bits in 11 characters of 6 bits: the last character has only 4 significant bits.
    pattern=r"^2[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]$",
    to_bytes=lambda key: key.to_bytes(8, signed=True),
    from_bytes=lambda data: int.from_bytes(data, signed=True),
)


class PageParams(NamedTuple, Generic[KeyT]):
    """Parameters of a list request, and what `paginate` needs to set the `Link` header."""

    limit: int
    #: The key of the last row of the previous page; None for the first page.
    after: KeyT | None
    codec: CursorCodec[KeyT]
    request: Request
    response: Response

    @property
    def fetch_limit(self) -> int:
        """Number of rows to fetch: one more than `limit`, to find out if there is a next page."""
        return self.limit + 1


def paginate(page: PageParams[Any], rows: Sequence[Any], model: type[ModelT]) -> list[ModelT]:
    """Convert the rows of the page to the response model.

    If `rows` has more than `page.limit` rows, also set the `Link` header to the next page.
    """
    shown = rows[: page.limit]
    if len(rows) > len(shown):
        next_page = _next_page(page.request, page.codec.encode(shown[-1].id))
        page.response.headers["Link"] = f'<{next_page}>; rel="next"'
    return [model.model_validate(row) for row in shown]


def _next_page(request: Request, cursor: str) -> str:
    """Return the path and query of the same list after the cursor."""
    query = [item for item in request.query_params.multi_items() if item[0] != "after"]
    return f"{request_path(request.scope)}?{urlencode([*query, ('after', cursor)])}"


def page_params(
    codec: CursorCodec[KeyT], example: str
) -> Callable[..., Awaitable[PageParams[KeyT]]]:
    """Return a dependency that provides the page parameters of a list.

    The codec defines the type of the list's keys; `example` is a cursor for the documentation.
    """

    async def get_page_params(
        request: Request,
        response: Response,
        limit: Annotated[
            int, Query(ge=1, le=100, description="Maximum number of items to return.")
        ] = 20,
        after: Annotated[
            str | None,
            Query(
                pattern=codec.pattern,
                description='Opaque cursor from the `Link` header (`rel="next"`) of the previous'
                " page.",
                examples=[example],
            ),
        ] = None,
    ) -> PageParams[KeyT]:
        key = codec.decode(after) if after else None
        return PageParams(limit, key, codec, request, response)

    return get_page_params


#: For lists whose keys are UUIDv7.
PageParamsDep = Annotated[
    PageParams[UUID], Depends(page_params(UUID_CURSOR, example="1AZsZWy4Ac2KQ7s0Yq3mB9w"))
]
#: For lists whose keys are 64-bit integers.
IntegerPageParamsDep = Annotated[
    PageParams[int], Depends(page_params(INTEGER_CURSOR, example="2AAAAAAAAAAc"))
]

#: The query parameter `q` of a list with full-text search.
SearchQuery = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=NO_NUL_PATTERN,
        description='Full-text search: words, `"phrases"`, `or`, and `-word` to exclude a word.'
        " At least one word is required; exclusions alone match nothing.",
        examples=["hello -goodbye"],
    ),
]

"""Keyset pagination: the parameters `limit` and `after`, and the `Link` to the next page.

A list route declares `page: PageParamsDep`, gets `page.fetch_limit` rows after `page.after` from
its repository, and returns `paginate(page, rows, ArticleRead)`.

A page starts after a row, not at an offset: all pages cost the same, and rows that are inserted
between two requests shift nothing.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from app.api.paths import encoded_path
from app.schemas.fields import NO_NUL_PATTERN

KeyT = TypeVar("KeyT")
ModelT = TypeVar("ModelT", bound=BaseModel)


class CursorCodec(NamedTuple, Generic[KeyT]):
    """Encodes the key of a row as a cursor, which is opaque to clients, and decodes it.

    A cursor is a version and the bytes of the key in unpadded URL-safe Base64.
    """

    version: str
    #: Matches exactly the cursors of all keys, whether or not such a row exists.
    pattern: str
    to_bytes: Callable[[KeyT], bytes]
    from_bytes: Callable[[bytes], KeyT]

    def encode(self, key: KeyT) -> str:
        """Return the cursor of a key."""
        return self.version + urlsafe_b64encode(self.to_bytes(key)).decode().rstrip("=")

    def decode(self, cursor: str) -> KeyT:
        """Return the key of a cursor that matches `pattern`."""
        # Python ignores superfluous padding.
        return self.from_bytes(urlsafe_b64decode(cursor[len(self.version) :] + "=="))


UUID_CURSOR = CursorCodec[UUID](
    version="1",
    # 128 bits: the last of 22 characters carries two of them.
    pattern=r"^1[A-Za-z0-9_-]{21}[AQgw]$",
    to_bytes=lambda key: key.bytes,
    from_bytes=lambda data: UUID(bytes=data),
)
INTEGER_CURSOR = CursorCodec[int](
    version="2",
    # 64 bits: the last of 11 characters carries four of them.
    pattern=r"^2[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]$",
    to_bytes=lambda key: key.to_bytes(8, signed=True),
    from_bytes=lambda data: int.from_bytes(data, signed=True),
)


class PageParams(NamedTuple, Generic[KeyT]):
    """The page that a request asks for."""

    limit: int
    #: The key of the last row of the previous page; None for the first page.
    after: KeyT | None
    codec: CursorCodec[KeyT]
    request: Request
    response: Response

    @property
    def fetch_limit(self) -> int:
        """Number of rows to fetch: one more than `limit` shows whether there is a next page."""
        return self.limit + 1


def paginate(page: PageParams[Any], rows: Sequence[Any], model: type[ModelT]) -> list[ModelT]:
    """Convert at most `page.limit` rows to the response model.

    If there are more rows, set the `Link` header of the response to the next page.
    """
    items = [model.model_validate(row) for row in rows[: page.limit]]
    if len(rows) > page.limit:
        cursor = page.codec.encode(rows[page.limit - 1].id)
        query = page.request.query_params.multi_items()
        parameters = [(name, value) for name, value in query if name != "after"]
        path = encoded_path(page.request.scope)
        target = f"{path}?{urlencode([*parameters, ('after', cursor)])}"
        page.response.headers["Link"] = f'<{target}>; rel="next"'
    return items


def page_params(
    codec: CursorCodec[KeyT], example: str
) -> Callable[..., Awaitable[PageParams[KeyT]]]:
    """Return the dependency that provides the page parameters of a list with such keys."""

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


#: For lists of rows with a UUIDv7 as their key.
PageParamsDep = Annotated[
    PageParams[UUID], Depends(page_params(UUID_CURSOR, example="1AZsZWy4Ac2KQ7s0Yq3mB9w"))
]
#: For lists of rows with a 64-bit integer as their key.
IntegerPageParamsDep = Annotated[
    PageParams[int], Depends(page_params(INTEGER_CURSOR, example="2AAAAAAAAAAc"))
]

#: The query parameter `q` of a list with full-text search.
Search = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=NO_NUL_PATTERN,
        description='Full-text search: words, `"phrases"`, `or`, and `-word` to exclude a word.'
        " At least one word is required; exclusions alone match nothing.",
        examples=["hello -goodbye"],
    ),
]

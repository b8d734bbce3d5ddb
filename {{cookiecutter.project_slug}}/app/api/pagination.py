"""Pages of a list, each from where the one before ended.

A page starts after a row, not after a number of rows: it costs the same wherever it is, and rows
that are added meanwhile shift nothing.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app.api.paths import encoded_path

# A version and the 16 bytes of a UUID, so that every string of this form is a position in the
# list. The last of 22 characters carries two bits.
CURSOR = r"^1[A-Za-z0-9_-]{21}[AQgw]$"


def encode_cursor(key: UUID) -> str:
    """The position after the row with this key, opaque to clients."""
    return "1" + urlsafe_b64encode(key.bytes).decode().rstrip("=")


def decode_cursor(cursor: str) -> UUID:
    """The key in a string that matches `CURSOR`."""
    return UUID(bytes=urlsafe_b64decode(cursor[1:] + "=="))


KeyT = TypeVar("KeyT")


class Page(NamedTuple, Generic[KeyT]):
    """The part of a list that a request asks for."""

    request: Request
    response: Response
    limit: int
    after: KeyT | None
    #: How to write the position after a key.
    encode: Callable[[KeyT], str]

    @property
    def fetch(self) -> int:
        """How many rows to look for: one more than shown tells whether there is a next page."""
        return self.limit + 1

    def show(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows of this page; the response gets the link to the next one, if there is one."""
        shown = rows[: self.limit]
        if len(rows) > self.limit:
            query = self.request.query_params
            cursor = self.encode(shown[-1].id)
            parameters = [item for item in query.multi_items() if item[0] != "after"]
            target = encoded_path(self.request.scope)
            query_string = urlencode([*parameters, ("after", cursor)])
            self.response.headers["Link"] = f'<{target}?{query_string}>; rel="next"'
        return shown


class Cursor(NamedTuple, Generic[KeyT]):
    """How the position after a row is written."""

    #: Every match of it is the position after some key, whether or not there is such a row.
    pattern: str
    example: str
    encode: Callable[[KeyT], str]
    decode: Callable[[str], KeyT]


def page_by(cursor: Cursor[KeyT]) -> Callable[..., Awaitable[Page[KeyT]]]:
    """The dependency of a list route on its page parameters."""

    async def get_page(
        request: Request,
        response: Response,
        limit: Annotated[int, Query(ge=1, le=100, description="How many to show.")] = 20,
        after: Annotated[
            str | None,
            Query(
                pattern=cursor.pattern,
                description="A position, from the link to the next page.",
                examples=[cursor.example],
            ),
        ] = None,
    ) -> Page[KeyT]:
        position = cursor.decode(after) if after else None
        return Page(request, response, limit, position, cursor.encode)

    return get_page


PageParamsDep = Annotated[
    Page[UUID],
    Depends(page_by(Cursor(CURSOR, "1AZsZWy4Ac2KQ7s0Yq3mB9w", encode_cursor, decode_cursor))),
]

"""Pages of a list whose keys are integers; see `app.api.pagination`."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from app.api.pagination import Limit, Page

# A version and the 8 bytes of a signed integer. The last of 11 characters carries four bits.
CURSOR = r"^2[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]$"


def encode_cursor(key: int) -> str:
    """The position after the row with this key, opaque to clients."""
    return "2" + urlsafe_b64encode(key.to_bytes(8, signed=True)).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """The key in a string that matches `CURSOR`."""
    return int.from_bytes(urlsafe_b64decode(cursor[1:] + "="), signed=True)


async def get_integer_page(
    request: Request,
    response: Response,
    limit: Limit = 20,
    after: Annotated[
        str | None,
        Query(
            pattern=CURSOR,
            description="A position, from the link to the next page.",
            examples=["2AAAAAAAAAAc"],
        ),
    ] = None,
) -> Page[int]:
    """The page parameters of a list route."""
    position = decode_cursor(after) if after else None
    return Page(request, response, limit, position, encode_cursor)


IntegerPageDep = Annotated[Page[int], Depends(get_integer_page)]

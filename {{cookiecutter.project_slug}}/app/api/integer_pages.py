"""Pages of a list whose keys are integers; see `app.api.pagination`."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

from fastapi import Depends

from app.api.pagination import Cursor, Page, page_by

# A version and the 8 bytes of a signed integer. The last of 11 characters carries four bits.
CURSOR = r"^2[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]$"


def encode_cursor(key: int) -> str:
    """The position after the row with this key, opaque to clients."""
    return "2" + urlsafe_b64encode(key.to_bytes(8, signed=True)).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """The key in a string that matches `CURSOR`."""
    return int.from_bytes(urlsafe_b64decode(cursor[1:] + "="), signed=True)


IntegerPageParamsDep = Annotated[
    Page[int], Depends(page_by(Cursor(CURSOR, "2AAAAAAAAAAc", encode_cursor, decode_cursor)))
]

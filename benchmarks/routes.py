"""The measured requests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "/api/v1"
#: Placeholder in a request body, replaced by a different value in each request.
UNIQUE_VALUE = "UNIQUE"


@dataclass(frozen=True)
class Route:
    """A request. `{article}`, `{cursor}` and `{coupon}` in its path are placeholders."""

    name: str
    path: str
    #: The same page for a service that paginates by offset instead of by cursor.
    offset_path: str | None = None
    body: str = ""
    is_write: bool = False

    @property
    def method(self) -> str:
        """The HTTP method."""
        return "POST" if self.is_write else "GET"

    @property
    def status(self) -> int:
        """The expected status of the response."""
        return 201 if self.is_write else 200

    def target(self, stored: Mapping[str, str], *, uses_offset: bool = False) -> str:
        """Return the path and query, with the IDs and the cursor from `stored`."""
        path = self.offset_path if uses_offset and self.offset_path else self.path
        return PREFIX + path.format_map(stored)


PAGE_SIZE = 20
#: Number of rows before page 400.
OFFSET = 399 * PAGE_SIZE

BY_ID = Route("GET by id", "/articles/{article}")
LIST = Route("list of 20", f"/articles?limit={PAGE_SIZE}")
PAGE_400 = Route(
    "list, page 400",
    f"/articles?limit={PAGE_SIZE}&after={{cursor}}",
    offset_path=f"/articles?limit={PAGE_SIZE}&offset={OFFSET}",
)
SEARCH = Route("search", f"/articles?limit={PAGE_SIZE}&q=needle")
CREATE = Route(
    "POST",
    "/articles",
    is_write=True,
    body=json.dumps({"title": "A new one", "slug": UNIQUE_VALUE, "text": "word " * 40}),
)
REDEEM = Route("redeem", "/coupons/{coupon}/redemptions", is_write=True)

ROUTES = (BY_ID, LIST, PAGE_400, SEARCH, CREATE, REDEEM)
QUICK_ROUTES = (BY_ID, LIST)

#: Served without database access, by raw-asyncpg-no-middleware.
NO_DATABASE = Route("no database", "/livez")

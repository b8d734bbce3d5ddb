"""What is asked of every service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "/api/v1"
#: Stands in a body for a value that no other request has.
UNIQUE = "UNIQUE"


@dataclass(frozen=True)
class Route:
    """A request; `{article}`, `{cursor}` and `{coupon}` in its path stand for what is stored."""

    name: str
    path: str
    #: The same page for those who count rows instead of looking for a key.
    offset_path: str | None = None
    body: str = ""
    is_write: bool = False

    @property
    def method(self) -> str:
        """Reads are GET, writes are POST."""
        return "POST" if self.is_write else "GET"

    @property
    def status(self) -> int:
        """The status of the only right answer."""
        return 201 if self.is_write else 200

    def target(self, stored: Mapping[str, str], *, uses_offset: bool = False) -> str:
        """The path that is asked for, with its query."""
        path = self.offset_path if uses_offset and self.offset_path else self.path
        return PREFIX + path.format_map(stored)


PAGE_SIZE = 20
#: The rows before page 400.
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
    body=json.dumps({"title": "A new one", "slug": UNIQUE, "text": "word " * 40}),
)
REDEEM = Route("redeem", "/coupons/{coupon}/redemptions", is_write=True)

#: Reads first: what the writes add is on the first page.
ROUTES = (BY_ID, LIST, PAGE_400, SEARCH, CREATE, REDEEM)
QUICK_ROUTES = (BY_ID, LIST)

#: Answered without a database, by the bare limit.
PROOF = Route("no database", "/livez")

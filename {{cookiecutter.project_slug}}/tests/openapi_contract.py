"""What the OpenAPI document says, to be compared with what happens."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from httpx2 import Response

from app.main import create_app
from app.settings import DatabaseSettings, ServiceSettings, Settings
from tests.service_settings import forget_settings

# Before settings are read: the file `.env` of a developer may be invalid.
forget_settings()

NOWHERE = Settings(
    service=ServiceSettings(),
    database=DatabaseSettings(POSTGRES_HOST="127.0.0.1", POSTGRES_PORT=1, POSTGRES_USER="me"),
)
DOCUMENT = create_app(NOWHERE).openapi()


class Operation(NamedTuple):
    """A method of a path, and what the document says of it."""

    method: str
    path: str
    description: dict[str, Any]

    def target(self, parameter: object) -> str:
        """A path with this value for each parameter."""
        return re.sub("{[^}]+}", str(parameter), self.path)

    def is_of(self, response: Response) -> bool:
        """Whether it was this that was asked for."""
        asked = response.request
        path = asked.url.path.rstrip("/")
        return asked.method == self.method and bool(re.fullmatch(self.target("[^/]+"), path))


def _operations() -> Iterator[Operation]:
    for path, methods in DOCUMENT["paths"].items():
        for method, description in methods.items():
            yield Operation(method.upper(), path, description)


OPERATIONS = list(_operations())


async def assert_documented(response: Response) -> None:
    """The status and the media type stand in the document, if the operation does."""
    await response.aread()
    for operation in OPERATIONS:
        if operation.is_of(response):
            answers = operation.description["responses"]
            assert str(response.status_code) in answers
            content = answers[str(response.status_code)].get("content", {})
            assert response.headers["Content-Type"] in content or not response.content

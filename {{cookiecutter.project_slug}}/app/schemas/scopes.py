"""Scopes in request bodies and queries."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from app.auth.scopes import SCOPES

if TYPE_CHECKING:
    ScopeName = str
else:
    ScopeName = Literal[*SCOPES]


def _without_duplicates(scopes: list[str]) -> list[str]:
    return sorted(set(scopes))


#: Some of `SCOPES`, sorted and without duplicates.
Scopes = Annotated[
    list[ScopeName],
    Field(max_length=100, description="Names of scopes.", examples=[["users:admin"]]),
    AfterValidator(_without_duplicates),
]

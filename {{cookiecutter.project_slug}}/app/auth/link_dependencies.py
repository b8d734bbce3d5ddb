"""FastAPI dependencies for operations that a link in a mail completes."""

from typing import Annotated

from fastapi import Depends

from app.api.dependencies import DatabaseDep
from app.auth.dependencies import AuthenticationDep
from app.auth.links import AccountLinks


async def get_account_links(
    database: DatabaseDep, authentication: AuthenticationDep
) -> AccountLinks:
    """Return the service of these operations."""
    return AccountLinks(database, authentication)


AccountLinksDep = Annotated[AccountLinks, Depends(get_account_links)]

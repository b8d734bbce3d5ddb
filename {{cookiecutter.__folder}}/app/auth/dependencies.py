"""What a route may ask for: the user who is asking, and what accounts and logins can do."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection
from fastapi.security import OAuth2PasswordBearer

from app.auth.accounts import Accounts
from app.auth.errors import UnauthorizedError
from app.auth.logins import Logins
from app.auth.means import Means
from app.db.dependencies import ReadFrom
from app.db.repositories.users import ReadUsers
from app.schemas.users import UserRead


async def get_means(connection: HTTPConnection) -> Means:
    """The means of the application that was asked, made for its first request."""
    state = connection.app.state
    if not hasattr(state, "means"):
        state.means = Means(state.settings.auth)
    means: Means = state.means
    return means


MeansDep = Annotated[Means, Depends(get_means)]


async def get_logins(database: ReadFrom, means: MeansDep) -> Logins:
    """The logins to the application that was asked."""
    return Logins(database, means)


LoginsDep = Annotated[Logins, Depends(get_logins)]


async def get_accounts(database: ReadFrom, means: MeansDep) -> Accounts:
    """The accounts of the application that was asked."""
    return Accounts(database, means)


AccountsDep = Annotated[Accounts, Depends(get_accounts)]


async def get_client_host(connection: HTTPConnection) -> str:
    """The address of the client, as the server says: of the peer, or behind a trusted proxy."""
    return connection.client.host if connection.client else ""


ClientHost = Annotated[str, Depends(get_client_host)]

BearerToken = Annotated[
    str | None, Depends(OAuth2PasswordBearer("api/v1/auth/token", auto_error=False))
]


async def get_current_user(token: BearerToken, means: MeansDep, users: ReadUsers) -> UserRead:
    """The user whose access token the request carries; raises `UnauthorizedError` without."""
    identity = means.access_tokens.verify(token) if token else None
    user = await users.find(identity.user_id) if identity else None
    if not (user and user.is_active and identity and user.credentials_version == identity.version):
        raise UnauthorizedError("This needs a valid access token.")
    return UserRead.model_validate(user)


CurrentUser = Annotated[UserRead, Depends(get_current_user)]

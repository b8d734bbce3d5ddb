"""What a route may ask for: the user who is asking, and what accounts and logins can do."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection
from fastapi.security import OAuth2PasswordBearer

from app.api.dependencies import DatabaseDep, reader
from app.auth.accounts import AccountService
from app.auth.authentication import Authentication
from app.auth.errors import UnauthenticatedError
from app.auth.sessions import AuthSessions
from app.db.repositories.users import UserReader
from app.schemas.users import UserRead


async def get_authentication(connection: HTTPConnection) -> Authentication:
    """The means of the application that was asked, made for its first request."""
    state = connection.app.state
    if not hasattr(state, "authentication"):
        state.authentication = Authentication(state.settings.auth)
    authentication: Authentication = state.authentication
    return authentication


UserReaderDep = Annotated[UserReader, Depends(reader(UserReader))]
AuthenticationDep = Annotated[Authentication, Depends(get_authentication)]


async def get_auth_sessions(
    database: DatabaseDep, authentication: AuthenticationDep
) -> AuthSessions:
    """The logins to the application that was asked."""
    return AuthSessions(database, authentication)


AuthSessionsDep = Annotated[AuthSessions, Depends(get_auth_sessions)]


async def get_account_service(
    database: DatabaseDep, authentication: AuthenticationDep
) -> AccountService:
    """The accounts of the application that was asked."""
    return AccountService(database, authentication)


AccountServiceDep = Annotated[AccountService, Depends(get_account_service)]


async def get_client_ip(connection: HTTPConnection) -> str:
    """The address of the client, as the server says: of the peer, or behind a trusted proxy."""
    return connection.client.host if connection.client else ""


ClientIp = Annotated[str, Depends(get_client_ip)]

BearerToken = Annotated[
    str | None, Depends(OAuth2PasswordBearer("api/v1/auth/token", auto_error=False))
]


async def get_current_user(
    token: BearerToken, authentication: AuthenticationDep, users: UserReaderDep
) -> UserRead:
    """The user whose access token the request carries; raises `UnauthenticatedError` without."""
    identity = authentication.access_tokens.verify(token) if token else None
    user = await users.find(identity.user_id) if identity else None
    if not (user and user.is_active and identity and user.credentials_version == identity.version):
        raise UnauthenticatedError("This needs a valid access token.")
    return UserRead.model_validate(user)


CurrentUser = Annotated[UserRead, Depends(get_current_user)]

"""FastAPI dependencies for authentication."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.requests import HTTPConnection
from fastapi.security import OAuth2PasswordBearer

from app.api.dependencies import DatabaseDep, provide_reader
from app.auth.accounts import AccountService
from app.auth.authentication import Authentication
from app.auth.errors import UnauthenticatedError
from app.auth.sessions import AuthSessions
from app.db.repositories.users import UserReader
from app.schemas.users import UserRead

# auto_error=False, because `get_current_user` raises the same error for missing and invalid tokens.
BearerToken = Annotated[
    str | None, Depends(OAuth2PasswordBearer("api/v1/auth/token", auto_error=False))
]
UserReaderDep = Annotated[UserReader, Depends(provide_reader(UserReader))]


async def get_authentication(connection: HTTPConnection) -> Authentication:
    """Return the process-wide services that `app.components.auth` created."""
    authentication: Authentication = connection.app.state.authentication
    return authentication


AuthenticationDep = Annotated[Authentication, Depends(get_authentication)]


async def get_auth_sessions(
    database: DatabaseDep, authentication: AuthenticationDep
) -> AuthSessions:
    """Return the service that manages sessions."""
    return AuthSessions(database, authentication)


AuthSessionsDep = Annotated[AuthSessions, Depends(get_auth_sessions)]


async def get_account_service(
    database: DatabaseDep, authentication: AuthenticationDep
) -> AccountService:
    """Return the service that manages accounts."""
    return AccountService(database, authentication)


AccountServiceDep = Annotated[AccountService, Depends(get_account_service)]


async def get_client_ip(connection: HTTPConnection) -> str:
    """Return the IP address of the client, or an empty string if the server knows none.

    uvicorn takes the address from the connection, or from X-Forwarded-For if the connection comes
    from a proxy that is named in `FORWARDED_ALLOW_IPS`.
    """
    return connection.client.host if connection.client else ""


ClientIp = Annotated[str, Depends(get_client_ip)]


async def get_client_name(connection: HTTPConnection) -> str:
    """Return the `User-Agent` of the client, cut to 200 characters."""
    return connection.headers.get("User-Agent", "").replace("\0", "")[:200]


ClientName = Annotated[str, Depends(get_client_name)]


async def get_session_id(token: BearerToken, authentication: AuthenticationDep) -> UUID | None:
    """Return the session of the access token, or None if the token has none or is invalid."""
    subject = authentication.access_tokens.verify(token) if token else None
    return subject.session_id if subject else None


SessionId = Annotated[UUID | None, Depends(get_session_id)]


async def get_current_user(
    token: BearerToken, authentication: AuthenticationDep, users: UserReaderDep
) -> UserRead:
    """Return the user that the access token was issued to.

    Raises `UnauthenticatedError` if the token is missing or invalid, if its session has ended, if
    the user is missing or inactive, or if the password has changed since the token was issued.
    """
    subject = authentication.access_tokens.verify(token) if token else None
    user = await users.find_by_subject(subject.user_id, subject.session_id) if subject else None
    if (
        subject is None
        or user is None
        or not user.is_active
        or user.credentials_version != subject.credentials_version
    ):
        raise UnauthenticatedError("A valid access token is required.")
    return UserRead.model_validate(user)


CurrentUser = Annotated[UserRead, Depends(get_current_user)]

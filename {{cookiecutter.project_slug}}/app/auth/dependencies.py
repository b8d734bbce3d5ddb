"""FastAPI dependencies for authentication."""

from typing import Annotated
from uuid import UUID

from fastapi import BackgroundTasks, Depends
from fastapi.requests import HTTPConnection
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

from app.api.dependencies import DatabaseDep, get_database, provide_reader
from app.auth.accounts import AccountService
from app.auth.api_keys import record_use
from app.auth.authentication import Authentication
from app.auth.errors import MissingScopeError, UnauthenticatedError
from app.auth.opaque_tokens import ApiKey
from app.auth.scopes import SCOPES
from app.auth.sessions import AuthSessions
from app.db.repositories.api_keys import ApiKeyUserReader
from app.db.repositories.users import UserReader
from app.schemas.users import UserRead

_DESCRIPTION = "An access token, or an API key. Operations on the account itself accept no API key."
# auto_error=False, because `get_session_user` raises the same error for missing and invalid tokens.
BearerToken = Annotated[
    str | None,
    Depends(
        OAuth2PasswordBearer(
            "api/v1/auth/token", scopes=SCOPES, description=_DESCRIPTION, auto_error=False
        )
    ),
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


async def get_session_user(
    token: BearerToken, authentication: AuthenticationDep, users: UserReaderDep
) -> UserRead:
    """Return the user that the access token was issued to. API keys are not accepted.

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


async def get_current_user(
    connection: HTTPConnection,
    token: BearerToken,
    authentication: AuthenticationDep,
    users: UserReaderDep,
    required: SecurityScopes,
    tasks: BackgroundTasks,
) -> UserRead:
    """Return the user of the access token or of the API key, with the scopes of the request.

    Raises `UnauthenticatedError` without valid credentials of an active user, and
    `MissingScopeError` if the user or the key does not have a scope that `Allowed` requires.
    """
    if token and token.startswith(ApiKey.prefix):
        user = await _get_user_of_key(token, connection, tasks)
    else:
        user = await get_session_user(token, authentication, users)
    for scope in required.scopes:
        if scope not in user.scopes:
            raise MissingScopeError(scope)
    return user


async def _get_user_of_key(
    token: str, connection: HTTPConnection, tasks: BackgroundTasks
) -> UserRead:
    # Called, not injected, because most requests have no API key.
    database = await get_database(connection)
    key = ApiKey.parse(token)
    row = await ApiKeyUserReader(database).find(key.id, key.secret_hash) if key else None
    if key is None or row is None or not row.is_active:
        raise UnauthenticatedError("A valid access token or API key is required.")
    if row.is_use_due:
        # After the response: a request that reads does not wait for it.
        tasks.add_task(record_use, key.id, database)
    user = UserRead.model_validate(row)
    user.scopes = [scope for scope in user.scopes if scope in row.key_scopes]
    return user


SessionUser = Annotated[UserRead, Depends(get_session_user)]
CurrentUser = Annotated[UserRead, Depends(get_current_user)]

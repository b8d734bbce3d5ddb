"""Registration and logins: `/api/v1/auth`."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, FastAPI, Form, Response, status

from app.api.problem_details import error_responses
from app.auth.dependencies import AccountServiceDep, AuthSessionsDep, ClientIp
from app.schemas.auth import LoginForm, RefreshTokenRequest, TokenResponse
from app.schemas.users import UserCreate, UserRead

logger = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Say at the start what nobody wants to find out later."""
    if not app.state.settings.auth.secrets:
        logger.warning(
            "AUTH_SECRETS is not set: access tokens are signed with a secret of this process, and"
            " end with it, at a reload too"
        )
    yield


router = APIRouter(prefix="/api/v1/auth", tags=["auth"], lifespan=lifespan)


@router.post("/register", status_code=status.HTTP_201_CREATED, responses=error_responses(409))
async def register(new: UserCreate, accounts: AccountServiceDep) -> UserRead:
    """Become a user."""
    return UserRead.model_validate(await accounts.register(new.email, new.password))


@router.post("/token", responses=error_responses(401, 429))
async def log_in(
    form: Annotated[LoginForm, Form()],
    accounts: AccountServiceDep,
    host: ClientIp,
    response: Response,
) -> TokenResponse:
    """Log in with an e-mail address, as `username`, and a password."""
    tokens = await accounts.log_in(form.username, form.password, host)
    response.headers["Cache-Control"] = "no-store"
    return TokenResponse.model_validate(tokens)


@router.post("/refresh", responses=error_responses(401))
async def refresh(
    given: RefreshTokenRequest, logins: AuthSessionsDep, response: Response
) -> TokenResponse:
    """Stay logged in: a refresh token is good for one use, and its second use ends the login."""
    tokens = await logins.refresh(given.refresh_token.get_secret_value())
    response.headers["Cache-Control"] = "no-store"
    return TokenResponse.model_validate(tokens)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
async def log_out(given: RefreshTokenRequest, logins: AuthSessionsDep) -> None:
    """End the login of a refresh token; its access token lasts until it expires."""
    await logins.end(given.refresh_token.get_secret_value())

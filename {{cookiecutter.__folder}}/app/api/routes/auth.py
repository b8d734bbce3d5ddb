"""Registration and logins: `/api/v1/auth`."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, FastAPI, Form, Response, status

from app.api.problems import problems
from app.auth.dependencies import AccountsDep, ClientHost, LoginsDep
from app.schemas.auth import LoginForm, RefreshTokenGiven, TokensRead
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


@router.post("/register", status_code=status.HTTP_201_CREATED, responses=problems(409))
async def register(new: UserCreate, accounts: AccountsDep) -> UserRead:
    """Become a user."""
    return UserRead.model_validate(await accounts.register(new.email, new.password))


@router.post("/token", responses=problems(401, 429))
async def log_in(
    form: Annotated[LoginForm, Form()], accounts: AccountsDep, host: ClientHost, response: Response
) -> TokensRead:
    """Log in with an e-mail address, as `username`, and a password."""
    tokens = await accounts.log_in(form.username, form.password, host)
    response.headers["Cache-Control"] = "no-store"
    return TokensRead.model_validate(tokens)


@router.post("/refresh", responses=problems(401))
async def refresh(given: RefreshTokenGiven, logins: LoginsDep, response: Response) -> TokensRead:
    """Stay logged in: a refresh token is good for one use, and its second use ends the login."""
    tokens = await logins.refresh(given.refresh_token.get_secret_value())
    response.headers["Cache-Control"] = "no-store"
    return TokensRead.model_validate(tokens)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT)
async def log_out(given: RefreshTokenGiven, logins: LoginsDep) -> None:
    """End the login of a refresh token; its access token lasts until it expires."""
    await logins.end(given.refresh_token.get_secret_value())

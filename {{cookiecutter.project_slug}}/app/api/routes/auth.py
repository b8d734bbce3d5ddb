"""Registration, login and sessions: `/api/v1/auth`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from app.api.problem_details import error_responses
from app.auth.dependencies import AccountServiceDep, AuthSessionsDep, ClientIp
from app.auth.rate_limits import limited
from app.schemas.auth import LoginForm, RefreshTokenRequest, TokenResponse
from app.schemas.users import UserCreate, UserRead

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])


@router.post(
    "/register",
    status_code=201,
    summary="Register a user",
    dependencies=[Depends(limited("register", 20, per=3600))],
    responses=error_responses(409, 429),
)
async def register(new_user: UserCreate, accounts: AccountServiceDep) -> UserRead:
    """Register a new user. An e-mail can be registered only once, regardless of case."""
    return UserRead.model_validate(await accounts.register(new_user.email, new_user.password))


@router.post("/token", summary="Log in", responses=error_responses(401, 429))
async def log_in(
    form: Annotated[LoginForm, Form()],
    accounts: AccountServiceDep,
    client_ip: ClientIp,
    response: Response,
) -> TokenResponse:
    """Exchange e-mail (as `username`) and password for tokens."""
    tokens = await accounts.log_in(form.username, form.password, client_ip)
    response.headers["Cache-Control"] = "no-store"
    return TokenResponse.model_validate(tokens)


@router.post("/refresh", summary="Refresh tokens", responses=error_responses(401))
async def refresh(
    body: RefreshTokenRequest, sessions: AuthSessionsDep, response: Response
) -> TokenResponse:
    """Exchange a refresh token for new tokens. Reusing an old refresh token revokes the session."""
    tokens = await sessions.rotate(body.refresh_token.get_secret_value())
    response.headers["Cache-Control"] = "no-store"
    return TokenResponse.model_validate(tokens)


@router.post("/logout", status_code=204, summary="Log out")
async def log_out(body: RefreshTokenRequest, sessions: AuthSessionsDep) -> None:
    """Revoke the session of a refresh token. Its access token stays valid until it expires."""
    await sessions.revoke(body.refresh_token.get_secret_value())

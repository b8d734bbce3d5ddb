"""Login and sessions: `/api/v1/auth`."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.api.problem_details import error_responses
from app.auth.dependencies import AccountServiceDep, AuthSessionsDep, ClientIp, ClientName
from app.schemas.auth import LoginForm, RefreshTokenRequest, TokenResponse

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])


@router.post("/token", summary="Log in", responses=error_responses(401, 429))
async def log_in(
    form: Annotated[LoginForm, Form()],
    accounts: AccountServiceDep,
    client_ip: ClientIp,
    client: ClientName,
    response: Response,
) -> TokenResponse:
    """Exchange e-mail (as `username`) and password for tokens."""
    tokens = await accounts.log_in(form.username, form.password, client_ip, client)
    response.headers["Cache-Control"] = "no-store"
    return TokenResponse.model_validate(tokens)


@router.post("/refresh", summary="Refresh tokens", responses=error_responses(401))
async def refresh(
    body: RefreshTokenRequest, sessions: AuthSessionsDep, client: ClientName, response: Response
) -> TokenResponse:
    """Exchange a refresh token for new tokens. Reusing an old refresh token revokes the session."""
    tokens = await sessions.rotate(body.refresh_token.get_secret_value(), client)
    response.headers["Cache-Control"] = "no-store"
    return TokenResponse.model_validate(tokens)


@router.post("/logout", status_code=204, summary="Log out")
async def log_out(body: RefreshTokenRequest, sessions: AuthSessionsDep) -> None:
    """Revoke the session of a refresh token, and its access tokens."""
    await sessions.revoke(body.refresh_token.get_secret_value())

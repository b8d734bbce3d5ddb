"""Registration and password reset by mail: `/api/v1/auth`."""

from fastapi import APIRouter, Depends

from app.api.problem_details import error_responses
from app.auth.link_dependencies import AccountLinksDep
from app.auth.rate_limits import limited
from app.schemas.account_links import (
    Accepted,
    ConfirmRequest,
    ForgotPasswordRequest,
    ResetPasswordRequest,
)
from app.schemas.users import UserCreate

router = APIRouter(prefix="/api/v1/auth", tags=["registration"])


@router.post(
    "/register",
    status_code=202,
    summary="Register a user",
    dependencies=[Depends(limited("register", 20, per=3600))],
    responses=error_responses(429),
)
async def register(new_user: UserCreate, links: AccountLinksDep) -> Accepted:
    """Send a mail that completes the registration. The response is the same for every e-mail."""
    await links.request_registration(new_user.email, new_user.password)
    return Accepted()


@router.post(
    "/confirm",
    status_code=204,
    summary="Confirm an e-mail",
    dependencies=[Depends(limited("confirm", 100, per=3600))],
    responses=error_responses(404, 429),
)
async def confirm(body: ConfirmRequest, links: AccountLinksDep) -> None:
    """Complete a registration or the change of an e-mail, with the token from the mail."""
    await links.confirm(body.token)


@router.post(
    "/password/forgot",
    status_code=202,
    summary="Request a password reset",
    dependencies=[Depends(limited("forgot-password", 20, per=3600))],
    responses=error_responses(429),
)
async def forgot_password(body: ForgotPasswordRequest, links: AccountLinksDep) -> Accepted:
    """Send a mail to set a new password. The response is the same for every e-mail."""
    await links.request_password_reset(body.email)
    return Accepted()


@router.post(
    "/password/reset",
    status_code=204,
    summary="Reset a password",
    dependencies=[Depends(limited("reset-password", 100, per=3600))],
    responses=error_responses(404, 429),
)
async def reset_password(body: ResetPasswordRequest, links: AccountLinksDep) -> None:
    """Set a new password, with the token from the mail. This ends all sessions of the user."""
    await links.reset_password(body.token, body.password)

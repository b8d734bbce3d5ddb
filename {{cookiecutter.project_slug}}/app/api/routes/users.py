"""The authenticated user: `/api/v1/users/me`."""

from fastapi import APIRouter

from app.api.problem_details import error_responses
from app.auth.dependencies import AccountServiceDep, ClientIp, CurrentUser, SessionUser
from app.schemas.users import UserRead, UserUpdate

# jinja: if cookiecutter.jobs
_UPDATE_ERRORS: tuple[int, ...] = (401, 429)
# jinja: else
_UPDATE_ERRORS = (401, 409, 429)
# jinja: endif
router = APIRouter(prefix="/api/v1/users", tags=["users"])


@router.get("/me", summary="Get the authenticated user", responses=error_responses(401))
async def get_me(user: CurrentUser) -> UserRead:
    """Return the authenticated user."""
    return user


@router.patch(
    "/me", summary="Update the authenticated user", responses=error_responses(*_UPDATE_ERRORS)
)
async def update_me(
    changes: UserUpdate, user: SessionUser, accounts: AccountServiceDep, client_ip: ClientIp
) -> UserRead:
    # jinja: if cookiecutter.jobs
    """Update the e-mail or the password. Changing the password revokes all sessions.

    A new e-mail counts when it is confirmed: a mail with a link is sent to it.
    """
    # jinja: else
    """Update the e-mail or the password. Changing the password revokes all sessions."""
    # jinja: endif
    # Fields that the client has omitted are MISSING, and `model_dump` leaves them out.
    values = changes.model_dump(exclude={"current_password"})
    row = await accounts.update_credentials(user.id, changes.current_password, client_ip, **values)
    return UserRead.model_validate(row)

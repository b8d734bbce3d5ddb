"""The authenticated user: `/api/v1/users/me`."""

from fastapi import APIRouter

# jinja: if cookiecutter.jobs
from app.api.dependencies import DatabaseDep
# jinja: endif
from app.api.problem_details import error_responses
from app.auth.dependencies import AccountServiceDep, ClientIp, CurrentUser, SessionUser
# jinja: if cookiecutter.jobs
from app.auth.rate_limits import limited
# jinja: endif
from app.schemas.users import UserRead, UserUpdate

# jinja: if cookiecutter.jobs
_UPDATE_ERRORS = error_responses(429)
# Called, and not a dependency of the route, because only a new e-mail sends mails.
_count_email_change = limited("change-email", 20, per=3600)
# jinja: else
_UPDATE_ERRORS = error_responses(409, 429)
# jinja: endif
router = APIRouter(prefix="/api/v1/users", tags=["users"])


@router.get("/me", summary="Get the authenticated user")
async def get_me(user: CurrentUser) -> UserRead:
    """Return the authenticated user."""
    return user


@router.patch("/me", summary="Update the authenticated user", responses=_UPDATE_ERRORS)
async def update_me(
    changes: UserUpdate,
    user: SessionUser,
    accounts: AccountServiceDep,
    client_ip: ClientIp,
    # jinja: if cookiecutter.jobs
    database: DatabaseDep,
    # jinja: endif
) -> UserRead:
    # jinja: if cookiecutter.jobs
    """Update the e-mail or the password. Changing the password revokes all sessions.

    A new e-mail counts when it is confirmed: a mail with a link is sent to it.
    """
    # jinja: else
    """Update the e-mail or the password. Changing the password revokes all sessions."""
    # jinja: endif
    # jinja: if cookiecutter.jobs
    if "email" in changes.model_fields_set:
        await _count_email_change(database, client_ip)
    # jinja: endif
    # Fields that the client has omitted are MISSING, and `model_dump` leaves them out.
    values = changes.model_dump(exclude={"current_password"})
    row = await accounts.update_credentials(user.id, changes.current_password, client_ip, **values)
    return UserRead.model_validate(row)

"""The authenticated user: `/api/v1/users/me`."""

from fastapi import APIRouter

from app.api.problem_details import error_responses
from app.auth.dependencies import AccountServiceDep, ClientIp, CurrentUser
from app.schemas.users import UserRead, UserUpdate

router = APIRouter(prefix="/api/v1/users", tags=["users"])


@router.get("/me", summary="Get the authenticated user", responses=error_responses(401))
async def get_me(user: CurrentUser) -> UserRead:
    """Return the authenticated user."""
    return user


@router.patch(
    "/me", summary="Update the authenticated user", responses=error_responses(401, 409, 429)
)
async def update_me(
    changes: UserUpdate, user: CurrentUser, accounts: AccountServiceDep, client_ip: ClientIp
) -> UserRead:
    """Update the e-mail or the password. Changing the password revokes all sessions."""
    # Fields that the client has omitted are MISSING, and `model_dump` leaves them out.
    values = changes.model_dump(exclude={"current_password"})
    row = await accounts.update_credentials(user.id, changes.current_password, client_ip, **values)
    return UserRead.model_validate(row)

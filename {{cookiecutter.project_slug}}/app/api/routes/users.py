"""The user who is asking: `/api/v1/users/me`."""

from fastapi import APIRouter

from app.api.problem_details import error_responses
from app.auth.dependencies import AccountServiceDep, ClientIp, CurrentUser
from app.schemas.users import UserRead, UserUpdate

router = APIRouter(prefix="/api/v1/users", tags=["users"])


@router.get("/me", responses=error_responses(401))
async def get_me(user: CurrentUser) -> UserRead:
    """You."""
    return user


@router.patch("/me", responses=error_responses(401, 409, 429))
async def update_me(
    changes: UserUpdate, user: CurrentUser, accounts: AccountServiceDep, host: ClientIp
) -> UserRead:
    """Change your e-mail address or your password; a new password ends all your logins."""
    values = changes.model_dump(exclude={"current_password"})
    row = await accounts.change(user.id, changes.current_password, host, **values)
    return UserRead.model_validate(row)

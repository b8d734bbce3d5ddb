"""Registration: `/api/v1/auth/register`."""

from fastapi import APIRouter, Depends

from app.api.problem_details import error_responses
from app.auth.dependencies import AccountServiceDep
from app.auth.rate_limits import limited
from app.schemas.users import RegisteredUser, UserCreate

router = APIRouter(prefix="/api/v1/auth", tags=["registration"])


@router.post(
    "/register",
    status_code=201,
    summary="Register a user",
    dependencies=[Depends(limited("register", 20, per=3600))],
    responses=error_responses(409, 429),
)
async def register(new_user: UserCreate, accounts: AccountServiceDep) -> RegisteredUser:
    """Register a new user. An e-mail can be registered only once, regardless of case."""
    return RegisteredUser.model_validate(await accounts.register(new_user.email, new_user.password))

"""Administration of users: `/api/v1/admin/users`.

Requires the scope `users:admin`. Each change is an audit event.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import StringConstraints

from app.api.dependencies import TransactionDep, provide_reader
from app.api.pagination import PageParams, page_params, paginate
from app.api.problem_details import error_responses
from app.auth.administration import UserAdministration, hash_new_password
from app.auth.dependencies import AuthenticationDep
from app.auth.permissions import Allowed
from app.auth.scopes import ADMIN_SCOPE
from app.db.repositories.admin_users import AccountReader
from app.log_config import request_id_var
from app.schemas.admin_users import AccountRead, AccountUpdate, PasswordSet
from app.schemas.fields import PlainText
from app.schemas.scopes import ScopeName
from app.schemas.users import UserRead

router = APIRouter(
    prefix="/api/v1/admin/users", tags=["admin-users"], dependencies=[Allowed(ADMIN_SCOPE)]
)


async def get_administration(
    transaction: TransactionDep, administrator: Annotated[UserRead, Allowed(ADMIN_SCOPE)]
) -> UserAdministration:
    """Return the service that changes users, in the transaction of the request."""
    return UserAdministration(transaction, administrator.id, request_id_var.get())


AdministrationDep = Annotated[UserAdministration, Depends(get_administration)]
AccountReaderDep = Annotated[AccountReader, Depends(provide_reader(AccountReader))]
UserId = Annotated[UUID, Path(description="ID of the user.")]
AccountPageDep = Annotated[
    PageParams,
    Depends(
        page_params(
            AccountReader.rows,
            email=Annotated[
                PlainText | None,
                StringConstraints(max_length=254, to_lower=True),
                Query(description="Only the user with this e-mail."),
            ],
            scope=Annotated[ScopeName | None, Query(description="Only users with this scope.")],
        )
    ),
]


@router.get("", summary="List users")
async def list_users(accounts: AccountReaderDep, page: AccountPageDep) -> list[AccountRead]:
    """List users, by default newest first."""
    return paginate(page, await accounts.list(page), AccountRead)


@router.get("/{user_id}", summary="Get a user", responses=error_responses(404))
async def get_user(user_id: UserId, accounts: AccountReaderDep) -> AccountRead:
    """Get a user by ID."""
    return AccountRead.model_validate(await accounts.get(user_id))


@router.patch("/{user_id}", summary="Update a user", responses=error_responses(404, 409))
async def update_user(
    user_id: UserId, changes: AccountUpdate, administration: AdministrationDep
) -> AccountRead:
    """Deactivate or reactivate a user, or replace the scopes.

    Deactivating ends all sessions of the user, and disables the API keys. Fails with 409 if
    administrators would end their own administration, or if no active administrator would remain.
    """
    row = await administration.update(user_id, **changes.model_dump(exclude_unset=True))
    return AccountRead.model_validate(row)


@router.post(
    "/{user_id}/password",
    status_code=204,
    summary="Set the password of a user",
    responses=error_responses(404, 409),
)
async def set_password(
    user_id: UserId,
    new: PasswordSet,
    accounts: AccountReaderDep,
    authentication: AuthenticationDep,
    administration: AdministrationDep,
) -> None:
    """Replace the password of another user, and end all sessions of the user.

    Fails with 409 for the administrator's own account.
    """
    account = await accounts.get(user_id)
    # The transaction begins with its first statement, which is after the hash.
    password_hash = await hash_new_password(account.email, new.password, authentication)
    await administration.set_password(user_id, password_hash)


@router.delete(
    "/{user_id}/sessions",
    status_code=204,
    summary="End the sessions of a user",
    responses=error_responses(404),
)
async def end_sessions(user_id: UserId, administration: AdministrationDep) -> None:
    """End all sessions of a user. API keys remain valid."""
    await administration.end_sessions(user_id)

"""Permissions of routes: `Allowed("users:admin")` requires a user with a scope.

    @router.delete("/{tag_id}", status_code=204, dependencies=[Allowed("tags:write")])

    async def create_tag(user: Annotated[UserRead, Allowed("tags:write")], ...) -> TagRead:

The OpenAPI document lists the scope of the operation, and its responses 401 and 403.
"""

from fastapi.params import Security

from app.auth.dependencies import get_current_user
from app.auth.scopes import SCOPES


class Allowed(Security):
    """A dependency that provides the current user, who must have a scope.

    The scopes are read with the user, so one that is taken away is missing in the next request.

    Requests without a user raise `UnauthenticatedError`, and those without the scope
    `MissingScopeError`. Raises `ValueError` for an unknown scope.
    """

    def __init__(self, scope: str) -> None:
        if scope not in SCOPES:
            raise ValueError(f"There is no scope {scope!r} in app/auth/scopes.py")
        super().__init__(get_current_user, scopes=(scope,))

"""Every operation, for every kind of caller: the statuses are those of `tests.auth.access`."""

from importlib import import_module
from operator import attrgetter
from pkgutil import iter_modules
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.auth.opaque_tokens import ApiKey
from app.auth.scopes import ADMIN_SCOPE
from tests.auth import access
from tests.auth.access_rules import CALLERS, OTHERS, Rule
from tests.auth.helpers import bearer_of, insert_api_key, insert_user
from tests.openapi_contract import OPERATIONS, Operation
from tests.openapi_examples import build_request, send
from tests.rows import insert_row

MODULES = [
    import_module(f"{access.__name__}.{module.name}") for module in iter_modules(access.__path__)
]
RULES: dict[str, Rule] = {name: rule for each in MODULES for name, rule in each.ACCESS.items()}
# By operation, because two modules may have IDs of the same name.
ROWS: dict[str, dict[str, str]] = {name: each.ROWS for each in MODULES for name in each.ACCESS}


async def headers_of(caller: str, scope: str | None, app: FastAPI) -> tuple[UUID, dict[str, str]]:
    """Insert a caller. Return the user's ID and the headers of the user's requests."""
    has_scope = scope is not None and caller in {"with_scope", "key", "key_without_scope"}
    scopes = [scope] if scope is not None and has_scope else []
    if caller == "administrator":
        scopes = [ADMIN_SCOPE]
    user_id, token = await insert_user(app, *scopes)
    if caller == "anonymous":
        return user_id, {}
    if caller == "revoked_key":
        return user_id, bearer_of(ApiKey.new().encode())
    if caller.startswith("key"):
        token = await insert_api_key(app, user_id, *(scopes if caller == "key" else []))
    return user_id, bearer_of(token)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("operation", OPERATIONS, ids=attrgetter("name"))
async def test_access(app: FastAPI, client: AsyncClient, operation: Operation, caller: str) -> None:
    rule = RULES.get(operation.name)
    assert rule is not None, (
        f"nothing says who may use {operation.name}: add it to the module in tests/auth/access/"
    )
    user_id, headers = await headers_of(caller, rule.scope, app)
    owner_id = (await insert_user(app))[0] if caller in OTHERS else user_id
    owned = {"owner_id": owner_id, "user_id": owner_id}
    path = operation.path
    for name, table in ROWS[operation.name].items():
        if (placeholder := "{" + name + "}") in path:
            path = path.replace(placeholder, str(await insert_row(app, table, **owned)))
    # Other IDs are unknown.
    request = build_request(client, operation._replace(path=path))
    request.headers |= headers
    response = await send(client, request)
    assert response.status_code in rule.statuses[caller], response.text


def test_every_rule_is_of_an_operation() -> None:
    assert RULES.keys() == {operation.name for operation in OPERATIONS}

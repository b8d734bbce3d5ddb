"""API keys of the authenticated user: `/api/v1/users/me/api-keys`.

A program sends a key like an access token. These operations accept no key, but only the access
token of a session.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from app.api.dependencies import DatabaseDep, TransactionDep
from app.api.pagination import PageParams, page_params, paginate
from app.api.paths import location_of
from app.api.problem_details import error_responses
from app.auth.api_keys import issue_api_key
from app.auth.dependencies import SessionUser
from app.db.repositories.api_keys import ApiKeyReader, ApiKeyWriter
from app.schemas.api_keys import ApiKeyCreate, ApiKeyCreated, ApiKeyRead

router = APIRouter(prefix="/api/v1/users/me/api-keys", tags=["api-keys"])


async def get_api_key_reader(database: DatabaseDep, user: SessionUser) -> ApiKeyReader:
    """Return a reader of the authenticated user's keys."""
    return ApiKeyReader(database, user.id)


async def get_api_key_writer(transaction: TransactionDep, user: SessionUser) -> ApiKeyWriter:
    """Return a writer of the authenticated user's keys."""
    return ApiKeyWriter(transaction, user.id)


ApiKeyReaderDep = Annotated[ApiKeyReader, Depends(get_api_key_reader)]
ApiKeyWriterDep = Annotated[ApiKeyWriter, Depends(get_api_key_writer)]
ApiKeyId = Annotated[UUID, Path(description="ID of the API key.")]
ApiKeyPageDep = Annotated[PageParams, Depends(page_params(ApiKeyReader.rows))]


@router.get("", summary="List API keys")
async def list_api_keys(keys: ApiKeyReaderDep, page: ApiKeyPageDep) -> list[ApiKeyRead]:
    """List the authenticated user's API keys, newest first."""
    return paginate(page, await keys.list(page), ApiKeyRead)


@router.post("", status_code=201, summary="Create an API key", responses=error_responses(409))
async def create_api_key(
    new_key: ApiKeyCreate,
    user: SessionUser,
    transaction: TransactionDep,
    request: Request,
    response: Response,
) -> ApiKeyCreated:
    """Create an API key with some of the user's scopes. Only this response contains the key.

    Fails with 409 if the user has too many keys.
    """
    key, row = await issue_api_key(user.id, new_key.name, new_key.scopes, transaction)
    response.headers["Location"] = location_of(request.scope, key.id)
    response.headers["Cache-Control"] = "no-store"
    return ApiKeyCreated(**dict(ApiKeyRead.model_validate(row)), key=key.encode())


@router.get("/{api_key_id}", summary="Get an API key", responses=error_responses(404))
async def get_api_key(api_key_id: ApiKeyId, keys: ApiKeyReaderDep) -> ApiKeyRead:
    """Get one of the authenticated user's API keys by ID."""
    return ApiKeyRead.model_validate(await keys.get(api_key_id))


@router.delete(
    "/{api_key_id}", status_code=204, summary="Revoke an API key", responses=error_responses(404)
)
async def revoke_api_key(api_key_id: ApiKeyId, keys: ApiKeyWriterDep) -> None:
    """Delete one of the authenticated user's API keys. Requests with it fail from now on."""
    await keys.delete(api_key_id)

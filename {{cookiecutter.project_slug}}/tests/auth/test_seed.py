"""`make seed`: its users can log in."""

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db import Database, metadata
from app.settings import Settings
from dev.seed import seed
from dev.seeds.users import EMAIL, NOTES, PASSWORD
from tests.auth.helpers import ME, bearer, create_user, log_in_tokens


async def test_seeded_user_can_log_in(
    committing_client: AsyncClient, database: Database, settings: Settings
) -> None:
    async with database.transaction() as transaction:
        report = await seed(transaction, metadata, 1, settings)
    assert [line for line in report if EMAIL in line and PASSWORD in line] == NOTES
    tokens = await log_in_tokens(committing_client, EMAIL, PASSWORD)
    response = await committing_client.get(ME, headers=bearer(tokens))
    assert response.json()["email"] == EMAIL


@pytest.mark.usefixtures("committing_client")
async def test_users_who_existed_get_no_api_keys(
    app: FastAPI, database: Database, settings: Settings
) -> None:
    await create_user(app)
    async with database.transaction() as transaction:
        report = await seed(transaction, metadata, 1, settings)
    assert "users: not changed, has rows (1)" in report
    assert not [line for line in report if line.lower().startswith("api")]

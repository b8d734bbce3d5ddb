"""Clients of the example: a user who may write."""

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.auth.scopes import SCOPES
from tests.auth.helpers import authenticate


@pytest.fixture
async def client(app: FastAPI, client: AsyncClient) -> AsyncClient:
    """Authenticate the requests of the client."""
    await authenticate(app, client, *SCOPES)
    return client


@pytest.fixture
async def committing_client(app: FastAPI, committing_client: AsyncClient) -> AsyncClient:
    """Authenticate the requests of the client."""
    await authenticate(app, committing_client, *SCOPES)
    return committing_client

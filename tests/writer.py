"""A user with all scopes, and the user's API key, for tests that write."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

import asyncpg

KEY_ID = UUID(int=1)
SECRET = b"only for tests".ljust(32, b".")
API_KEY = "ak_" + urlsafe_b64encode(KEY_ID.bytes + SECRET).decode()
HEADERS = {"Authorization": f"Bearer {API_KEY}"}
# The key was just used, so that no request records its use.
INSERT = """
WITH new AS (
    INSERT INTO users (email, password_hash, scopes)
    VALUES ('writer@example.com', '', '{users:admin,articles:write,coupons:write}')
    RETURNING id, scopes
)
INSERT INTO api_keys (id, user_id, name, scopes, secret_hash, last_used_at)
    SELECT $1, id, 'tests', scopes, $2, now() + interval '1 day' FROM new
"""


async def insert_writer(url: str) -> None:
    """Insert the user and the key into a migrated database."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(INSERT, KEY_ID, sha256(SECRET).hexdigest())
    finally:
        await connection.close()

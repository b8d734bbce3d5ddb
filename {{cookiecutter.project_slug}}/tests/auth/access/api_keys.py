"""Access to API keys."""

from tests.auth.access_rules import owner, users, without_key

ROWS = {"api_key_id": "api_keys"}
ACCESS = {
    "list_api_keys": without_key(users(200)),
    # The example has a scope that not all users have.
    "create_api_key": without_key(users(201, 422)),
    "get_api_key": without_key(owner(200)),
    "revoke_api_key": without_key(owner(204)),
}

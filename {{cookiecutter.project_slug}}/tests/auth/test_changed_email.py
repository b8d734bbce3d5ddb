"""Updates of the e-mail of the authenticated user."""

from httpx2 import AsyncClient

from tests.auth.helpers import EMAIL, ME, log_in, new_user, register, update_me

NEW_EMAIL, NEW_PASSWORD = "lovelace@example.com", "another good password"


async def test_changed_email_replaces_the_old_one_at_login(client: AsyncClient) -> None:
    headers = await new_user(client)
    before = (await client.get(ME, headers=headers)).json()
    response = await update_me(client, headers, email="Lovelace@Example.com")
    assert (response.status_code, response.json()) == (200, {**before, "email": NEW_EMAIL})
    assert (await client.get(ME, headers=headers)).json()["email"] == NEW_EMAIL
    assert (await log_in(client, NEW_EMAIL)).status_code == 200
    assert (await log_in(client, EMAIL)).status_code == 401


async def test_email_in_use_changes_nothing(committing_client: AsyncClient) -> None:
    await register(committing_client, NEW_EMAIL)
    headers = await new_user(committing_client)
    response = await update_me(committing_client, headers, email=NEW_EMAIL, password=NEW_PASSWORD)
    assert (response.status_code, response.json()["field"]) == (409, "email")
    assert (await committing_client.get(ME, headers=headers)).status_code == 200
    assert (await log_in(committing_client)).status_code == 200

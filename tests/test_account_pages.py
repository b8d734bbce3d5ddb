"""Accounts in a real browser: registration, sessions, and the links in mails."""

from pathlib import Path

import pytest
from browser_pages import USER, authorize, follow_link, register, try_out, wait_for_link
from browser_pages import browser as browser
from browser_pages import page as page
from browser_pages import service as service
from httpx2 import Client, Response
from playwright.sync_api import Page, expect
from server_process import ServerProcess

pytestmark = pytest.mark.slow


def test_user_of_the_browser_ends_sessions_and_resets_the_password(
    page: Page, service: ServerProcess, tmp_path: Path
) -> None:
    me, auth, new_password = "/api/v1/users/me", "/api/v1/auth", "another good password"
    register(page, tmp_path)
    with Client(base_url=service.base_url) as client:

        def log_in(password: str) -> Response:
            form = {"username": USER["email"], "password": password}
            return client.post(f"{auth}/token", data=form)

        def get_me(tokens: dict[str, str]) -> int:
            headers = {"Authorization": f"Bearer {tokens['access_token']}"}
            return client.get(me, headers=headers).status_code

        tokens = log_in(USER["password"]).json()
        assert get_me(tokens) == 200
        authorize(page)
        _, sessions = try_out(page, "sessions-list_sessions")
        [current, other] = sorted(sessions, key=lambda session: -session["is_current"])
        assert (current["is_current"], other["is_current"]) == (True, False)
        ended = try_out(page, "sessions-delete_session", session_id=other["id"])
        assert ended == ("204", None)
        assert get_me(tokens) == 401
        assert try_out(page, "sessions-list_sessions")[1] == [current]

        tokens = log_in(USER["password"]).json()
        assert get_me(tokens) == 200
        forgotten = {"email": USER["email"]}
        assert try_out(page, "registration-forgot_password", forgotten) == ("202", {})
        follow_link(page, tmp_path, "Reset your password", new_password)

        assert log_in(USER["password"]).status_code == 401
        assert get_me(tokens) == 401
        refresh = {"refresh_token": tokens["refresh_token"]}
        assert client.post(f"{auth}/refresh", json=refresh).status_code == 401

        tokens = log_in(new_password).json()
        assert get_me(tokens) == 200
        refresh = {"refresh_token": tokens["refresh_token"]}
        assert try_out(page, "auth-log_out", refresh) == ("204", None)
        assert get_me(tokens) == 401
        assert client.post(f"{auth}/refresh", json=refresh).status_code == 401


def test_used_link_is_rejected_in_the_browser(
    page: Page, service: ServerProcess, tmp_path: Path
) -> None:
    assert try_out(page, "registration-register", USER)[0] == "202"
    link = f"{service.base_url}/{wait_for_link(tmp_path, 'Confirm your account')}"
    for text in ("Your e-mail address is confirmed.", "The link is invalid, has been used"):
        # Opening the page, even twice, does not use the token.
        page.goto(link)
        page.goto(link)
        expect(page.get_by_role("status")).to_be_empty()
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text(text)

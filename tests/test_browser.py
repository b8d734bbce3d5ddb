"""The documentation page in a real browser: register, log in and call the API."""

from pathlib import Path

import pytest
from browser_pages import authorize, docs_page, open_authorization, register, try_out
from browser_pages import browser as browser
from browser_pages import page as page
from browser_pages import service as service
from conftest import LAYERS, TEMPLATE
from playwright.sync_api import Browser, Page
from prefix_proxy import published
from server_process import run_server
from test_demo import demo_command

pytestmark = pytest.mark.slow


def test_user_creates_and_finds_note_on_docs_page(page: Page, tmp_path: Path) -> None:
    note = {"title": "On whales", "description": "They are not fish."}
    register(page, tmp_path)
    assert try_out(page, "notes-create_note", note)[0] == "401"

    authorize(page)
    status, created = try_out(page, "notes-create_note", note)
    assert status == "201"
    assert try_out(page, "notes-list_notes", q="whale") == ("200", [created])
    assert try_out(page, "notes-list_notes", q="shark") == ("200", [])

    form = open_authorization(page)
    form.get_by_role("button", name="Remove authorization").click()
    form.get_by_role("button", name="Close").click()
    assert try_out(page, "notes-list_notes", q="whale")[0] == "401"


def test_docs_page_authorizes_below_path_prefix(browser: Browser, tmp_path: Path) -> None:
    variables = {"TMPDIR": str(tmp_path), "ROOT_PATH": "/shop"}
    with (
        run_server(demo_command(LAYERS[0]), TEMPLATE, **variables) as service,
        published(service.base_url, "/shop") as url,
        docs_page(browser, url) as page,
    ):
        register(page, tmp_path)
        authorize(page)
        assert try_out(page, "users-get_me")[0] == "200"

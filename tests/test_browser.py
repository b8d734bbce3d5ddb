"""The documentation page in a real browser: register, log in and call the API."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import LAYERS, TEMPLATE
from matrix import ONE_LAYER
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from prefix_proxy import published
from server_process import ServerProcess, run_server
from test_demo import demo_command

pytestmark = pytest.mark.slow

USER = {"email": "ada@example.com", "password": "eight or more"}
# Milliseconds, enough for a busy machine.
TIMEOUT = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the Chromium of the machine."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed (apt install chromium)")
    with (
        sync_playwright() as playwright,
        # Chromium's sandbox does not work as root, and tests in a container run as root.
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        yield browser


@pytest.fixture(params=ONE_LAYER)
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    """Run `make demo`."""
    with run_server(demo_command(request.param), TEMPLATE, TMPDIR=str(tmp_path)) as service:
        yield service


@pytest.fixture
def page(browser: Browser, service: ServerProcess) -> Iterator[Page]:
    """Open the documentation page of `service`."""
    with docs_page(browser, service.base_url) as page:
        yield page


@contextmanager
def docs_page(browser: Browser, url: str) -> Iterator[Page]:
    """Open the documentation page, and check that it requests nothing from other hosts.

    Starts at `url` itself, which redirects to the page.
    """
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        expect.set_options(timeout=TIMEOUT)
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.goto(f"{url}/")
        expect(page).to_have_url(f"{url}/docs")
        yield page
        assert [other for other in requested if not other.startswith((f"{url}/", "data:"))] == []


def try_out(page: Page, operation: str, body: object = None, **parameters: str) -> tuple[str, Any]:
    """Execute an operation on the page, and return the status and the body of the response."""
    block = page.locator(f"[id='operations-{operation}']")
    if "is-open" not in (block.get_attribute("class") or ""):
        block.locator(".opblock-summary-control").click()
        block.get_by_role("button", name="Try it out").click()
    if body is not None:
        block.locator("textarea.body-param__text").fill(json.dumps(body))
    for name, value in parameters.items():
        block.locator(f"tr[data-param-name='{name}'] input").fill(value)
    with page.expect_response(lambda response: "/api/v1/" in response.url) as received:
        block.get_by_role("button", name="Execute").click()
    shown = block.locator(".live-responses-table .response-col_status").last
    expect(shown).to_contain_text(str(received.value.status))
    return shown.inner_text().split()[0], received.value.json()


def open_authorization(page: Page) -> Locator:
    """Open the form behind the button "Authorize"."""
    page.locator(".scheme-container").get_by_role("button", name="Authorize").click()
    return page.locator(".modal-ux")


def authorize(page: Page) -> None:
    """Log in as `USER` with the button "Authorize"."""
    form = open_authorization(page)
    form.locator("#oauth_username").fill(USER["email"])
    form.locator("#oauth_password").fill(USER["password"])
    form.get_by_role("button", name="Apply given OAuth2 credentials").click()
    expect(form.get_by_role("button", name="Remove authorization")).to_be_visible()
    form.get_by_role("button", name="Close").click()


def test_user_creates_and_finds_note_on_docs_page(page: Page) -> None:
    note = {"title": "On whales", "description": "They are not fish."}
    assert try_out(page, "auth-register", USER)[0] == "201"
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
        assert try_out(page, "auth-register", USER)[0] == "201"
        authorize(page)
        assert try_out(page, "users-get_me")[0] == "200"

"""The pages of the service in the Chromium of the machine, and the mails that lead to them."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from conftest import TEMPLATE
from matrix import ONE_LAYER
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from server_process import ServerProcess, run_server
from test_demo import demo_command

USER = {"email": "ada@example.com", "password": "eight or more"}
LINK = re.compile(r"^http://[^/]+/(\S+\?token=\S+)", re.MULTILINE)
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
    content = received.value.body()
    return shown.inner_text().split()[0], json.loads(content) if content else None


def follow_link(page: Page, folder: Path, subject: str, password: str | None = None) -> None:
    """Follow the link in the mail with this subject, and complete the form of its page."""
    base_url = page.url.partition("/docs")[0]
    page.goto(f"{base_url}/{wait_for_link(folder, subject)}")
    if password is not None:
        page.get_by_label("New password").fill(password)
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("Your")
    page.goto(f"{base_url}/docs")


def wait_for_link(folder: Path, subject: str) -> str:
    """Return the path and the token of the link in the mail with this subject."""
    deadline = time.monotonic() + TIMEOUT / 1000
    while time.monotonic() < deadline:
        for file in folder.rglob("*.eml"):
            mail = message_from_bytes(file.read_bytes(), policy=default)
            if mail["Subject"].startswith(subject) and mail["To"] == USER["email"]:
                found = LINK.search(mail.get_content())
                assert found is not None
                file.unlink()
                return found[1]
        time.sleep(0.1)
    raise AssertionError(f"there is no mail {subject!r} in {folder}")


def register(page: Page, folder: Path) -> None:
    """Register `USER` on the page, and confirm the address."""
    assert try_out(page, "registration-register", USER) == ("202", {})
    follow_link(page, folder, "Confirm your account")


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

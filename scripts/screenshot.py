"""Take the screenshot in the README: the API documentation page of a generated service.

Runs `scripts/demo.py` and opens its page in headless Chromium.
"""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

TEMPLATE = Path(__file__).resolve().parent.parent
SCREENSHOT = TEMPLATE / "docs" / "img" / "api-docs.png"
# Pixels.
WIDTH, HEIGHT, MARGIN = 1000, 1400, 10


def find_chromium() -> str:
    """Return the path of Chromium, under the names that Linux distributions use."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise SystemExit("Chromium is not installed (apt install chromium).")


def take_screenshot(url: str, path: Path) -> None:
    """Save a Swagger UI page as PNG, down to the end of its first group of operations."""
    with sync_playwright() as playwright:
        # The sandbox does not start as root.
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        with browser, browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}) as page:
            page.goto(url)
            page.wait_for_selector(".opblock-summary")
            group = page.locator(".opblock-tag-section").first.bounding_box()
            bottom = group["y"] + group["height"] + MARGIN if group else HEIGHT
            page.screenshot(path=path, clip={"x": 0, "y": 0, "width": WIDTH, "height": bottom})


def main() -> int:
    """Start the demo, take the screenshot and stop the demo."""
    find_chromium()
    SCREENSHOT.parent.mkdir(exist_ok=True)
    demo = subprocess.Popen(
        [sys.executable, "scripts/demo.py"],
        cwd=TEMPLATE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for line in demo.stdout or ():
            if line.startswith("Ready: "):
                take_screenshot(f"{line.split()[1]}/docs", SCREENSHOT)
                print(f"Saved {SCREENSHOT.relative_to(TEMPLATE)}")
                break
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.communicate()
    return 0 if demo.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

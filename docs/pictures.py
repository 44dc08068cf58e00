"""Picture of the README, made from the running kit: `./kit up`, then `./kit exec python docs/pictures.py`.

It starts the comparison "kill -9 in mid-job", waits for its end, and takes a picture of its page. It needs an installed
Chromium.
"""

import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from cars_bot.comparisons.presets import PRESETS
from commands.common import client

HERE = Path(__file__).parent
WIDTH = 1280


def main() -> int:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        print("no Chromium is installed: apt-get install chromium", file=sys.stderr)
        return 4
    comparison = client.call("POST", "/api/comparisons", PRESETS["kill-worker"].request)["id"]
    while client.call("GET", f"/api/comparisons/{comparison}")["state"] != "ENDED":
        time.sleep(0.5)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, base_url=client.base_url())
        take(page, f"/comparisons/{comparison}", "comparison.png", height=920, shows="[data-player]:not([hidden])")
        browser.close()
    return 0


def take(page: Page, path: str, name: str, height: int, shows: str) -> None:
    """Take a picture of the upper part of a page, when it shows what the selector `shows` names."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.goto(path)
    page.locator(shows).first.wait_for()
    page.screenshot(path=HERE / name)
    print(HERE / name)


if __name__ == "__main__":
    sys.exit(main())

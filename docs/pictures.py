"""Pictures of the README, made from the running kit: `./kit up`, then `./kit exec python docs/pictures.py`.

It starts the comparison "kill -9 in mid-job" and waits for its end. It takes a picture of its page, and one of the page
of a run that was delivered again. It needs an installed Chromium.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from cars_bot.comparisons.presets import PRESETS
from commands.common import client
from commands.common.console import Progress
from commands.compare import follow

HERE = Path(__file__).parent


def main() -> int:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        print("no Chromium is installed: apt-get install chromium", file=sys.stderr)
        return 4
    comparison = client.call("POST", "/api/comparisons", PRESETS["kill-worker"].request)
    with Progress("Compared") as line:
        follow(comparison, line)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 920}, base_url=client.base_url())
        page.goto(f"/comparisons/{comparison['id']}")
        page.locator("[data-player]:not([hidden])").wait_for()
        page.screenshot(path=HERE / "comparison.png")
        open_a_run_that_was_delivered_again(page)
        page.screenshot(path=HERE / "run.png", full_page=True)
        browser.close()
    print(HERE / "comparison.png", HERE / "run.png", sep="\n")
    return 0


def open_a_run_that_was_delivered_again(page: Page) -> None:
    """Follow the first link to a run in the table of attempts whose outcome is "lost"."""
    page.get_by_text("The same as a table").click()
    page.get_by_role("row").filter(has_text="lost").get_by_role("link").first.click()
    page.get_by_role("heading", name="On the wire").wait_for()


if __name__ == "__main__":
    sys.exit(main())

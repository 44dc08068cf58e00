"""Picture of the README, made from the running kit: `./kit up`, then `./kit exec python docs/pictures.py`.

It starts the comparison "kill -9 in mid-job", waits for its end, and takes a picture of its page. It needs an installed
Chromium.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from cars_bot.comparisons.presets import PRESETS
from commands.common import client
from commands.common.console import Progress
from commands.compare import follow

PICTURE = Path(__file__).with_name("comparison.png")


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
        page.screenshot(path=PICTURE)
        browser.close()
    print(PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())

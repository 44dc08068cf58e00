"""A real browser on a real server: Playwright drives the installed Chromium; nothing is downloaded."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.conftest import redis_url, server
from tests.api.server import Server

__all__ = ["redis_url", "server"]

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")

PICTURES = Path(__file__).parents[2] / "reports" / "screenshots"
# A busy machine shows a right page late; a wrong page stays wrong.
PATIENCE_MS = 40_000
sync_api.expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def chromium() -> Iterator["sync_api.Browser"]:
    """One browser for all tests of this folder. While Playwright runs, no other test can use `asyncio.run`."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visitor:
    """A visitor of the page, and every error that the page has reported meanwhile."""

    def __init__(self, browser: "sync_api.Browser", address: str, **options: object) -> None:
        self.context = browser.new_context(base_url=address, **({"viewport": {"width": 1280, "height": 900}} | options))
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def overflow(self) -> int:
        """Return how many pixels the page is wider than its window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(chromium: "sync_api.Browser", server: Server, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A function that opens the page at a path. At the end of the test, no page may have reported an error.

    `reports/screenshots/` keeps a picture of each page as the test left it.
    """
    visitors = []

    def open_page(path: str = "/", **options: object) -> Visitor:
        visitor = Visitor(chromium, server.url, **options)
        visitors.append(visitor)
        visitor.page.goto(path)
        return visitor

    yield open_page
    complaints = [text for visitor in visitors for text in visitor.complaints]
    test = re.sub(r"[^\w.-]+", "-", request.node.nodeid.removeprefix("tests/browser/"))
    for number, visitor in enumerate(visitors, 1):
        if not visitor.page.is_closed():
            visitor.page.screenshot(path=PICTURES / f"{test}.{number}.png")
        visitor.context.close()
    assert complaints == []

"""The page of the dead letters, on a kit with brokers: read, replayed, discarded."""

import pytest

from tests.browser.conftest import Visitor, sync_api
from tests.browser.every_page import faults
from tests.contract.dead_letters import bury
from tests.contract.test_dead_letters import buried, order
from tests.kit import Kit

expect = sync_api.expect
SIZES = [{"width": 1280, "height": 900}, {"width": 390, "height": 844}]
pytestmark = pytest.mark.thorough


def open_page(browser: "sync_api.Browser", kit: Kit, **options: object) -> Visitor:
    """A visitor at the page of the dead letters."""
    visitor = Visitor(browser, str(kit.http.base_url), **options)
    visitor.page.goto("/dead-letters")
    return visitor


def test_letters_are_replayed_and_discarded_from_the_page(chromium: "sync_api.Browser", kit: Kit, lane: str) -> None:
    first, second, third = buried(kit, lane, 3)
    visitor = open_page(chromium, kit)
    letter = visitor.page.locator
    expect(letter(f'[data-letter="{first}"]')).to_contain_text("process_task")

    letter(f'[data-letter="{first}"]').get_by_role("button", name="Replay").click()
    expect(letter(".hero .said")).to_have_text("1 letter replayed as new runs.")
    expect(letter(f'[data-letter="{first}"]')).to_have_count(0)
    letter(f'[data-letter="{second}"]').get_by_role("button", name="Discard").click()
    expect(letter(".hero .said")).to_have_text("1 letter discarded.")
    assert order(kit, lane, [first, second, third]) == [third]

    visitor.page.on("dialog", lambda asked: asked.accept())
    letter(f'[data-lane="{lane}"]').get_by_role("button", name="Discard all").click()
    expect(letter(f'[data-lane="{lane}"]')).to_contain_text("None. Every message of this lane has been dealt with.")
    assert visitor.complaints == []
    visitor.context.close()


def test_the_longest_letter_fits_and_can_be_read_whole_without_a_script(
    chromium: "sync_api.Browser", kit: Kit, lane: str
) -> None:
    bury(kit, lane, ({"content_type": "x" * 200, "app_id": "somebody"}, b"\xff" + b"y" * 3_000))
    for size in SIZES:
        visitor = open_page(chromium, kit, viewport=size, java_script_enabled=False)

        assert widest(visitor) <= size["width"] + 1
        visitor.page.locator(f'[data-lane="{lane}"] .letters a').last.click()
        expect(visitor.page.locator("main")).to_contain_text("somebody")
        assert widest(visitor) <= size["width"] + 1
        visitor.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_letters(chromium: "sync_api.Browser", kit: Kit, lane: str, scheme: str) -> None:
    bury(kit, lane, ({"content_type": "x" * 200, "app_id": "somebody"}, b"y" * 3_000))
    for size in SIZES:
        visitor = open_page(chromium, kit, viewport=size, color_scheme=scheme)

        assert faults(visitor.page) == []
        visitor.page.locator(f'[data-lane="{lane}"] .letters a').last.click()
        expect(visitor.page.locator("main")).to_contain_text("somebody")
        assert faults(visitor.page) == []
        assert visitor.overflow() == 0
        visitor.context.close()


def widest(visitor: Visitor) -> float:
    """The right edge of the rightmost element, in pixels. The browser measures it, without a script of the page."""
    visitor.page.wait_for_load_state("load")  # with its style sheet
    right = "all => Math.max(...all.map(each => each.getBoundingClientRect().right))"
    return float(visitor.page.locator("main *").evaluate_all(right))

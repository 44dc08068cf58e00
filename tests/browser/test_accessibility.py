"""Every page for everyone: axe-core finds no serious fault, and no page is wider than its window.

axe-core sees what a program can see: contrast, names of fields and buttons, roles, the order of headings. It looks at
each page in light and dark, on a screen and on a phone. It says nothing about what is drawn on a canvas.
"""

import re
from collections.abc import Iterator

import pytest

from tests.api.server import Server
from tests.browser.conftest import Visit, Visitor, sync_api
from tests.browser.every_page import IN_ANOTHER_TEST, PLACES, TEMPLATES, faults, stage

expect = sync_api.expect
pytestmark = pytest.mark.thorough

SCREEN, PHONE = 1280, 390  # pixels
WIDTHS = (320, PHONE, 640, 768, 1024, SCREEN, 1920)  # 640 is a screen of 1280 at 200 %


@pytest.fixture(scope="module")
def ids(server: Server) -> Iterator[dict[str, str]]:
    """The ids and addresses of everything that the pages show."""
    with stage(server) as made:
        yield made


@pytest.fixture
def open_place(visit: Visit, ids: dict[str, str]) -> Visit:
    """A function that opens one of `PLACES` and waits until it is drawn."""

    def open_page(name: str, **options: object) -> Visitor:
        place = PLACES[name]
        visitor = visit(place.address.format(**ids), **options)
        visitor.page.locator(place.drawn).first.wait_for()
        if place.complains:
            visitor.complaints.clear()
        return visitor

    return open_page


DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


SWAGGER = ("API", "API of the outside world")  # axe-core takes long for them
EACH = [pytest.param(name, marks=pytest.mark.thorough) if name in SWAGGER else name for name in PLACES]


@pytest.mark.parametrize("name", EACH)
def test_axe_finds_no_serious_fault(open_place: Visit, name: str) -> None:
    page = open_place(name, reduced_motion="reduce").page  # else colours change slowly when the scheme does
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (SCREEN, PHONE):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(DRAWN)  # the charts have their new width
            found[scheme, width] = faults(page, colours_only=scheme == "dark")  # the others are the same in the dark

    assert found == {looked: [] for looked in found}


def test_axe_finds_a_text_that_is_too_pale(open_place: Visit) -> None:
    page = open_place("comparisons").page
    page.locator("h1").evaluate("it => { it.style.color = '#bbb'; }")

    assert [fault.partition(":")[0] for fault in faults(page)] == ["color-contrast"]


@pytest.mark.parametrize("name", EACH)
def test_no_page_is_wider_than_its_window(open_place: Visit, name: str) -> None:
    visitor = open_place(name, viewport={"width": WIDTHS[0], "height": 800})
    wider = {}
    for width in WIDTHS:
        visitor.page.set_viewport_size({"width": width, "height": 800})
        visitor.page.evaluate(DRAWN)
        wider[width] = visitor.overflow()

    assert wider == dict.fromkeys(WIDTHS, 0)


def test_every_template_of_a_page_stands_in_the_list() -> None:
    parts = {"base.html", "parts.html"}  # of each page
    templates = {file.name for folder in TEMPLATES for file in folder.glob("*.html")}

    assert templates - parts == {place.template for place in PLACES.values()} | IN_ANOTHER_TEST


# ---------------------------------------------------------------- wide and narrow windows


def boxes(page: "sync_api.Page", selector: str) -> list[dict[str, float]]:
    """The places of the visible elements, in pixels."""
    found = [each.bounding_box() for each in page.locator(selector).all()]
    return [box for box in found if box is not None]


@pytest.mark.parametrize(("width", "rows"), [(1920, [3]), (1280, [3]), (900, [2, 1]), (390, [1, 1, 1])])
def test_three_charts_leave_no_hole(open_place: Visit, width: int, rows: list[int]) -> None:
    page = open_place("ended comparison", viewport={"width": width, "height": 900}).page
    charts = boxes(page, "[data-flow]")
    right = boxes(page, ".charts")[0]

    tops = sorted({box["y"] for box in charts})
    assert [sum(box["y"] == top for box in charts) for top in tops] == rows
    assert max(box["x"] + box["width"] for box in charts if box["y"] == tops[-1]) == pytest.approx(
        right["x"] + right["width"], abs=1
    )


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_each_link_of_the_navigation_can_be_seen(open_place: Visit, width: int) -> None:
    page = open_place("comparisons", viewport={"width": width, "height": 800}).page
    links = page.get_by_role("navigation", name="Main").get_by_role("link")

    expect(links).to_have_text(["Runs", "Comparisons", "Code", "Dead letters", "API", "Outside world"])
    for box in boxes(page, ".top nav a"):
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] >= 24  # WCAG 2.5.8
    assert page.get_by_role("link", name=re.compile("Same job, two lanes")).first.is_visible()


def test_at_1920_pixels_charts_use_the_width_and_texts_stay_readable(open_place: Visit) -> None:
    page = open_place("ended comparison", viewport={"width": 1920, "height": 1080}).page

    assert boxes(page, "[data-swim] canvas")[0]["width"] > 1_500
    for box in boxes(page, "main p:not(.buttons, .badges, .crumb)"):
        assert box["width"] < 1_000

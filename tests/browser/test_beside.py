"""Two comparisons beside each other: chosen on the page of one, with and without scripts."""

import re

import pytest

from tests.api.server import Server
from tests.api.test_comparisons import ended, running, start, stop
from tests.browser.conftest import Visit, sync_api

expect = sync_api.expect
pytestmark = pytest.mark.thorough
HOSTILE = "<script>alert(1)</script>\u202e evil \u2066"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_list_on_the_page_of_one_leads_to_both(visit: Visit, server: Server, scripts: bool) -> None:
    other, one = ended(server, name="The other", count=3), ended(server, name="The one")
    page = visit(f"/comparisons/{one}", java_script_enabled=scripts).page
    page.get_by_label("Lay beside").select_option(other)
    page.get_by_role("button", name="Show both").click()

    expect(page).to_have_url(re.compile(f"/comparisons/{one}\\?beside={other}$"))
    expect(page.locator(".sides")).to_contain_text("A The one")
    expect(page.locator(".sides")).to_contain_text("B The other")
    expect(page.locator(".sides dd")).to_have_text(["All 2 jobs were done.", "All 3 jobs were done."])
    expect(page.get_by_role("row", name="jobs on each lane")).to_have_text(
        re.compile(r"\s*jobs on each lane\s*2\s*3\s*")
    )
    expect(page.get_by_role("row", name=re.compile("^done")).locator("td")).to_have_text(["2", "3", "+1"])
    page.get_by_role("link", name="Exchange A and B").click()
    expect(page.get_by_role("row", name=re.compile("^done")).locator("td")).to_have_text(["3", "2", "−1"])


def test_the_list_has_only_other_ended_comparisons(visit: Visit, server: Server) -> None:
    one, other = ended(server), ended(server)
    with running(server) as open_one:
        listed = visit(f"/comparisons/{one}").page.locator("#beside option")
        values = listed.evaluate_all("options => options.map((each) => each.value)")

    assert other in values
    assert one not in values
    assert open_one not in values


def test_a_lane_of_only_one_has_dashes_in_the_others_column(visit: Visit, server: Server) -> None:
    one, both = ended(server), start(server, lanes=["raw", "inline"], name="Two lanes")
    stop(server, both)
    page = visit("/comparisons").page
    page.goto(f"/comparisons/{one}?beside={both}")

    expect(page.locator("th[scope=colgroup]")).to_have_text(["Inline", "RabbitMQ"])
    accepted = page.get_by_role("row", name=re.compile("^accepted")).locator("td")
    expect(accepted.nth(3)).to_have_text("–")
    expect(accepted.nth(5)).to_have_text("–")
    expect(accepted.nth(4)).to_have_text(re.compile(r"^[0-2]$"))
    expect(page.get_by_role("row", name="lanes")).to_contain_text("raw, inline")


def test_hostile_names_are_text(visit: Visit, server: Server) -> None:
    one, other = ended(server, name=HOSTILE), ended(server, name=HOSTILE)
    page = visit(f"/comparisons/{one}?beside={other}").page

    expect(page.locator(".sides bdi")).to_have_text([HOSTILE, HOSTILE])
    page.goto(f"/comparisons/{one}")
    expect(page.locator(f'#beside option[value="{other}"]')).to_contain_text("<script>alert(1)</script>")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_of_two_is_not_wider_than_its_window(visit: Visit, server: Server, width: int) -> None:
    long = [{"job": "test_task", "args": {"message": "long" * 200}}]
    one, other = ended(server, name="x" * 100), ended(server, jobs=long, name="y" * 100)

    assert visit(f"/comparisons/{one}?beside={other}", viewport={"width": width, "height": 800}).overflow() == 0

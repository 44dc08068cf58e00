"""Pages that come back by themselves: after a restart of the API or the broker, and after a time in the background."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.api.server import Server
from tests.browser.conftest import Visit, Visitor, sync_api
from tests.kit import Kit, running, until

expect = sync_api.expect
JOBS = [{"job": "process_task", "args": {"task_num": 1, "timeout": 0.02}}]
AWAY = 90_000  # milliseconds; a broker takes 5 s to start on a quiet machine


@pytest.fixture(scope="module")
def whole_kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    with running(tmp_path_factory.mktemp("kit")) as up:
        yield up


@pytest.mark.thorough
@pytest.mark.parametrize("process", ["api", "rabbitmq"])
def test_open_pages_show_the_truth_after_a_restart(chromium: "sync_api.Browser", whole_kit: Kit, process: str) -> None:
    wanted = {"lanes": ["celery", "raw"], "count": 20, "arrivals": {"per_second": 2}, "jobs": JOBS, "deadline": 120}
    comparison = whole_kit.http.post("/api/comparisons", json=wanted).json()["id"]
    front, watched = (Visitor(chromium, str(whole_kit.http.base_url)) for _ in range(2))
    front.page.goto("/")
    watched.page.goto(f"/comparisons/{comparison}")
    progress = watched.page.locator('[data-is="progress"]')
    expect(progress).to_contain_text("of 40 jobs have ended")
    expect(front.page.locator("[data-connection]")).to_have_text("live")

    whole_kit.command("restart", process)

    expect(watched.page.locator(".verdict")).to_contain_text("All 20 jobs were done on each lane.", timeout=AWAY)
    expect(front.page.locator("[data-connection]")).to_have_text("live", timeout=AWAY)
    run = whole_kit.submit("raw", "debug_task")[0]
    whole_kit.ended(run)
    expect(front.page.locator(f'tr[data-run="{run}"] .state')).to_have_text("DONE", timeout=AWAY)
    for visitor in (front, watched):
        visitor.context.close()


@contextmanager
def frozen(visitor: Visitor) -> Iterator[list[str]]:
    """Put a page into the background and freeze it, as a browser does after some minutes. Give what it asks for then.

    A frozen page runs no timer and no script.
    """
    asked: list[str] = []
    browser = visitor.context.new_cdp_session(visitor.page)
    other = visitor.context.new_page()
    other.bring_to_front()
    browser.send("Page.setWebLifecycleState", {"state": "frozen"})
    visitor.page.on("request", lambda request: asked.append(request.url))
    yield asked
    browser.send("Page.setWebLifecycleState", {"state": "active"})
    visitor.page.bring_to_front()


@pytest.mark.thorough
def test_a_comparison_that_ends_while_its_page_is_frozen_is_shown_when_the_page_is_back(
    visit: Visit, server: Server
) -> None:
    wanted = {"lanes": ["inline"], "count": 6, "arrivals": {"per_second": 2}, "jobs": JOBS}
    comparison = server.http.post("/api/comparisons", json=wanted).json()["id"]
    visitor = visit(f"/comparisons/{comparison}")
    expect(visitor.page.locator('[data-is="progress"]')).to_contain_text("of 6 jobs have ended")
    address = f"/api/comparisons/{comparison}"

    with frozen(visitor) as asked:
        until(lambda: server.http.get(address).json()["state"] == "ENDED", 20, "it has ended")
        assert asked == []

    expect(visitor.page.locator(".verdict")).to_have_text("All 6 jobs were done.")


@pytest.mark.thorough
def test_runs_that_were_made_while_the_front_page_was_frozen_are_there_when_it_is_back(
    visit: Visit, server: Server
) -> None:
    visitor = visit()
    expect(visitor.page.locator("[data-connection]")).to_have_text("live")

    with frozen(visitor):
        (run,) = server.submit("celery", "debug_task")
        server.begin(run)
        server.end(run)

    expect(visitor.page.locator(f'tr[data-run="{run}"] .state')).to_have_text("DONE")

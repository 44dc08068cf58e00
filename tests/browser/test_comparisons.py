"""The pages of the comparisons in a browser: start one, watch it, replay it, with the mouse and with the keyboard."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.api.server import Server
from tests.browser.conftest import Visit, sync_api
from tests.kit import best_of, until

expect = sync_api.expect
HOSTILE = "<script>alert(1)</script>\u202e evil \u2066"


def ended(server: Server, name: str = "Twelve short jobs", count: int = 12) -> str:
    """Make a comparison on the inline lane, which needs no broker. Wait for its end and return its id."""
    wanted = {"name": name, "lanes": ["inline"], "count": count,
              "jobs": [{"job": "process_task", "args": {"task_num": 1, "timeout": 0.02}}]}  # fmt: skip
    made = server.http.post("/api/comparisons", json=wanted)
    assert made.status_code == 202, made.text
    comparison = str(made.json()["id"])
    until(lambda: server.http.get(f"/api/comparisons/{comparison}").json()["state"] == "ENDED", 30, "it has ended")
    return comparison


def test_a_comparison_is_followed_while_it_runs_then_the_page_shows_its_verdict(visit: Visit, server: Server) -> None:
    wanted = {"lanes": ["inline"], "count": 3, "arrivals": {"per_second": 1},
              "jobs": [{"job": "process_task", "args": {"task_num": 1, "timeout": 0.02}}]}  # fmt: skip
    comparison = server.http.post("/api/comparisons", json=wanted).json()["id"]
    page = visit(f"/comparisons/{comparison}").page

    expect(page.locator('[data-is="progress"]')).to_contain_text(re.compile(r"of 3 jobs have ended|waits"))
    expect(page.locator(".verdict")).to_have_text("All 3 jobs were done.")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.thorough
def test_the_replay_stops_at_each_event_and_the_flow_counts_along(visit: Visit, server: Server) -> None:
    page = visit(f"/comparisons/{ended(server)}").page
    counted = page.locator('[data-now="ended"]')
    expect(counted).to_have_text("12")

    page.get_by_role("slider", name="Moment of the replay").fill("0")
    expect(counted).to_have_text("0")
    for _ in range(40):
        page.get_by_role("button", name="Next event").click()
        if counted.text_content() == "3":
            break
    expect(counted).to_have_text("3")
    expect(page.locator('[data-now="started"]')).to_have_text(re.compile("3|4"))


@pytest.mark.thorough
def test_the_keyboard_goes_from_attempt_to_attempt_and_to_the_run(visit: Visit, server: Server) -> None:
    page = visit(f"/comparisons/{ended(server)}").page
    expect(page.get_by_role("button", name="Play")).to_be_visible()

    page.locator("[data-swim]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-tip]")).to_contain_text("attempt 1, on \u2068api\u2069: done")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/runs/"))


@pytest.mark.thorough
def test_the_table_has_the_attempts_for_a_screen_reader(visit: Visit, server: Server) -> None:
    page = visit(f"/comparisons/{ended(server)}").page

    page.get_by_text("The same as a table").click()
    expect(page.locator("[data-attempts] tr")).to_have_count(12)
    expect(page.locator("[data-attempts] tr").first).to_contain_text("done")


@pytest.mark.thorough
def test_a_hostile_name_is_text(visit: Visit, server: Server) -> None:
    comparison = ended(server, name=HOSTILE, count=2)
    for path in ("/comparisons", f"/comparisons/{comparison}"):
        page = visit(path).page
        expect(page.locator("bdi").first).to_have_text(HOSTILE)


@pytest.mark.thorough
def test_a_picture_that_the_server_refuses_is_told_once_and_not_asked_for_again(visit: Visit, server: Server) -> None:
    comparison = ended(server, count=2)
    visitor = visit("/comparisons")
    refusal = {"error": "invalid_arguments", "message": "schema 1; this version reads schema 2"}
    visitor.page.route("**/picture", lambda route: route.fulfill(status=422, json=refusal))
    visitor.page.goto(f"/comparisons/{comparison}")

    expect(visitor.page.get_by_role("alert")).to_have_text(refusal["message"])
    visitor.complaints.clear()  # the browser reports the 422


@pytest.mark.thorough
def test_a_page_that_cannot_reach_the_api_says_so_and_goes_on_by_itself(visit: Visit, server: Server) -> None:
    wanted = {"lanes": ["inline"], "count": 4, "arrivals": {"per_second": 1},
              "jobs": [{"job": "process_task", "args": {"task_num": 1, "timeout": 0.02}}]}  # fmt: skip
    comparison = server.http.post("/api/comparisons", json=wanted).json()["id"]
    visitor = visit(f"/comparisons/{comparison}")
    expect(visitor.page.locator('[data-is="progress"]')).to_contain_text(re.compile(r"of 4 jobs have ended|waits"))

    visitor.context.set_offline(True)
    expect(visitor.page.locator('[data-is="progress"]')).to_contain_text("The API does not answer")
    visitor.context.set_offline(False)
    expect(visitor.page.locator(".verdict")).to_have_text("All 4 jobs were done.")
    assert all("ERR_INTERNET_DISCONNECTED" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


MOST_BARS = 20_000
MEASURE = """async () => {
  const slider = document.querySelector('[data-is="time"]');
  const frame = () => new Promise(requestAnimationFrame);
  let longest = 0, last = await frame();
  for (let step = 0; step <= 40; step++) {
    slider.value = step * 25;
    slider.dispatchEvent(new Event("input"));
    const now = await frame();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest / 1000;
}"""


@pytest.mark.thorough
def test_a_replay_of_very_many_attempts_keeps_its_pace(visit: Visit, server: Server) -> None:
    comparison = ended(server)
    picture = many_bars()
    page = visit("/comparisons").page
    page.route("**/picture", lambda route: route.fulfill(json=picture))
    page.goto(f"/comparisons/{comparison}")
    expect(page.get_by_role("button", name="Play")).to_be_visible()

    longest = best_of(6, lambda: float(page.evaluate(MEASURE)), good=0.05)
    assert longest < 0.05, f"a frame took {longest * 1000:.0f} ms"


def many_bars() -> dict[str, object]:
    """A picture with `MOST_BARS` attempts of 8 children. Each tenth run is attempted twice."""
    workers = [{"lane": "inline", "name": f"worker-1/{number}"} for number in range(8)]
    bars, runs = [], []
    for place in range(MOST_BARS):
        again = place % 11 == 10
        if not again:
            runs.append({"id": f"{place:036}", "job": "debug_task", "lane": "inline", "state": "DONE"})
        begin = place * 60 / MOST_BARS
        outcome = "retry" if place % 11 == 9 else "done"
        bars.append([place % 8, len(runs) - 1, 1 + again, round(begin, 4), round(begin + 0.02, 4), outcome])
    ends = [bar[4] for bar in bars]
    flow = {"accepted": [0.0] * len(bars), "started": [bar[3] for bar in bars], "ended": ends}
    return {"seconds": 60.1, "workers": workers, "runs": runs, "bars": bars, "marks": [], "flow": {"inline": flow}}


SEND = """async ([url, type]) => {
  const wanted = { lanes: ["inline"], count: 1, jobs: [{ job: "debug_task" }] };
  const asked = { method: "POST", headers: { "Content-Type": type }, body: JSON.stringify(wanted) };
  return fetch(url, asked).then((reply) => `read ${reply.status}`, () => "blocked");
}"""
READ = "async (url) => fetch(url).then((reply) => reply.text(), () => 'blocked')"


@contextmanager
def another_site(folder: Path) -> Iterator[str]:
    """A web server on another port: to a browser, another origin."""
    (folder / "index.html").write_text("<title>Another site</title>", encoding="utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}/"
        site.shutdown()


@pytest.mark.thorough
def test_a_page_of_another_origin_starts_and_reads_nothing(
    chromium: "sync_api.Browser", server: Server, tmp_path: Path
) -> None:
    comparison = ended(server, count=2)
    before = server.http.get("/api/comparisons").json()["comparisons"]
    page = chromium.new_context().new_page()
    with another_site(tmp_path) as site:
        page.goto(site)
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            assert page.evaluate(SEND, [f"{server.url}/api/comparisons", kind]) == "blocked"
            assert page.evaluate(SEND, [f"{server.url}/api/comparisons/{comparison}/stop", kind]) == "blocked"
        assert page.evaluate(READ, f"{server.url}/api/comparisons/{comparison}") == "blocked"

    assert server.http.get("/api/comparisons").json()["comparisons"] == before


@pytest.mark.parametrize(
    ("path", "button", "name", "jobs"),
    [("/", "kill -9 in mid-job", "kill -9 in mid-job", 80),
     ("/comparisons", "Start Ten jobs a second", "Ten jobs a second", 200)],
)  # fmt: skip
def test_a_preset_starts_from_its_button(
    visit: Visit, server: Server, path: str, button: str, name: str, jobs: int
) -> None:
    page = visit(path).page

    page.get_by_role("button", name=button).click()
    expect(page).to_have_url(re.compile(r"/comparisons/[0-9a-f-]{36}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator('[data-is="progress"]')).to_contain_text(f"of {jobs} jobs have ended")
    page.get_by_role("button", name="Stop").click()  # there is no broker here, so it would last until its deadline
    expect(page.locator(".verdict")).to_contain_text("revoked")

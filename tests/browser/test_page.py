"""The page in the hands of a visitor: live runs, forms, filters, charts, a phone, dark mode, a keyboard."""

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from cars_bot.catalogue import QUEUES
from tests.api.server import Server
from tests.browser.conftest import Visit, Visitor, sync_api

expect = sync_api.expect


def line(visitor: Visitor, run_id: str) -> "sync_api.Locator":
    return visitor.page.locator(f'tr[data-run="{run_id}"]')


def panel(visitor: Visitor, lane: str) -> "sync_api.Locator":
    return visitor.page.locator(f'[data-panel="{lane}"]')


def send(visitor: Visitor, which: str) -> "sync_api.Locator":
    return visitor.page.locator(f'form[data-send="{which}"]')


@contextmanager
def working(server: Server, lane: str, queues: list[str]) -> Iterator[None]:
    """A worker on another machine, as the database shows it, while the block runs."""
    with closing(sqlite3.connect(server.database, isolation_level=None, timeout=10)) as connection:
        row = ("elsewhere-0-1-1", "w", lane, "h", 1, json.dumps(queues), "[]", time.time(), time.time())
        connection.execute(
            "INSERT INTO workers (family, name, lane, host, pid, queues, held, since, renewed_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        try:
            yield
        finally:
            connection.execute("DELETE FROM workers WHERE family = 'elsewhere-0-1-1'")


def test_a_run_moves_through_its_states_by_itself(visit: Visit, server: Server) -> None:
    visitor = visit()
    (run_id,) = server.submit("celery", "process_task", args={"task_num": 8, "timeout": 2})
    row = line(visitor, run_id)

    expect(row.locator(".state")).to_have_text("PENDING")
    expect(row.locator(".lane")).to_have_text("Celery")
    expect(row.locator(".c-job")).to_have_text("process_task(8, 2.0)")
    server.begin(run_id)
    expect(row.locator(".state")).to_have_text("IN PROGRESS")
    expect(row.locator(".c-worker")).to_have_text("worker-1")
    expect(row.locator(".c-attempt")).to_have_text("1/4")
    server.end(run_id)
    expect(row.locator(".state")).to_have_text("DONE")
    expect(row.locator(".c-latency")).to_have_text(re.compile(r"\d+ ms|\d+\.\d+ s"))


@pytest.mark.thorough
def test_counters_and_charts_move(visit: Visit, server: Server) -> None:
    visitor = visit()
    done = panel(visitor, "inline").locator('[data-count="done"]')
    before = int(done.inner_text().replace(",", ""))
    server.submit("inline", "debug_task", count=7)

    expect(done).to_have_text(f"{before + 7:,}")
    expect(visitor.page.locator('[data-chart="rate"] canvas')).to_be_visible()
    expect(visitor.page.locator('[data-chart="depth"] [data-now="raw"]')).to_have_text("no answer")


@pytest.mark.thorough
def test_a_depth_that_was_not_measured_yet_is_no_missing_answer(visit: Visit) -> None:
    page = visit("/comparisons").page
    tick = {"at": time.time(), "rate": {}, "depth": {}, "totals": {}, "unserved": {}}
    answer = f"event: tick\ndata: {json.dumps(tick)}\n\n"
    page.route("**/api/live*", lambda route: route.fulfill(content_type="text/event-stream", body=answer))
    page.goto("/")

    expect(page.locator('[data-chart="depth"] [data-now="inline"]')).to_have_text("none")
    expect(page.locator('[data-chart="depth"] [data-now="raw"]')).to_have_text("–")


def test_the_form_sends_what_is_filled_in(visit: Visit, server: Server) -> None:
    visitor = visit()
    form = send(visitor, "raw")
    form.get_by_label("task_num").fill("77")
    form.get_by_label("Priority").fill("4")
    form.get_by_label("Wait").fill("30")
    form.get_by_label("Times").fill("2")
    form.get_by_role("button").click()

    expect(form.locator(".said")).to_have_text("2 runs accepted.")
    run = server.http.get("/api/runs?lane=raw&limit=1").json()["runs"][0]
    assert (run["job"], run["args"]["task_num"], run["priority"]) == ("process_task", 77, 4)
    assert run["due_at"] - run["accepted_at"] == pytest.approx(30, abs=0.5)
    expect(line(visitor, run["id"])).to_be_visible()


def test_the_fields_follow_the_job(visit: Visit) -> None:
    form = send(visit(), "celery")
    form.get_by_label("Job").select_option("process_post")

    expect(form.get_by_label("post_id")).to_have_value("1")
    expect(form.get_by_label("task_num")).to_have_count(0)
    expect(form.get_by_label("Priority")).to_have_attribute("max", "10")
    form.get_by_label("Job").select_option("debug_task")
    expect(form).to_contain_text("Takes no arguments")
    form.get_by_label("Job").select_option("classify_post")
    expect(form.get_by_label("text")).to_have_value(re.compile("Kia Rio"))


def test_send_to_all_three_sends_the_same_to_each_lane(visit: Visit, server: Server) -> None:
    visitor = visit()
    form = send(visitor, "all")
    form.get_by_label("Job").select_option("debug_task")
    form.get_by_label("Times").fill("2")
    form.get_by_role("button").click()

    expect(form.locator(".said")).to_have_text(
        "Celery: 2 runs accepted. RabbitMQ: 2 runs accepted. Inline: 2 runs done, and you waited."
    )
    newest = server.http.get("/api/runs?limit=6&job=debug_task").json()["runs"]
    assert sorted(run["lane"] for run in newest) == ["celery"] * 2 + ["inline"] * 2 + ["raw"] * 2


def test_a_mistake_is_told_beside_the_form_and_nothing_is_sent(visit: Visit, server: Server) -> None:
    visitor, before = visit(), server.counts()
    form = send(visitor, "raw")
    form.get_by_label("Priority").fill("9")
    form.get_by_role("button").click()

    expect(form.locator(".said")).to_have_class(re.compile("wrong"))
    expect(form.locator(".said")).to_contain_text("Priority:")
    expect(form.get_by_label("Priority")).to_be_focused()
    assert server.counts() == before


def test_what_only_the_server_knows_is_told_beside_the_form_too(visit: Visit, server: Server) -> None:
    visitor = visit()
    form = send(visitor, "raw")
    form.get_by_label("Priority").evaluate("field => field.max = 99")
    form.get_by_label("Priority").fill("9")
    form.get_by_role("button").click()

    expect(form.locator(".said")).to_have_text("priority 9 is out of range; queue 'default' takes 0 to 5")
    assert visitor.complaints.pop().startswith("Failed to load resource")  # the browser itself reports the 422


def show(visitor: Visitor, **chosen: str) -> None:
    for name, value in chosen.items():
        visitor.page.locator(f"#filter-{name}").select_option(value)
    visitor.page.get_by_role("button", name="Show").click()


def test_filters_stand_in_the_address_and_stay_true(visit: Visit, server: Server) -> None:
    visitor = visit()
    show(visitor, lane="celery")
    visitor.page.wait_for_url("**/?lane=celery#runs")
    show(visitor, state="PENDING")
    visitor.page.wait_for_url("**/?lane=celery&state=PENDING#runs")

    (mine,) = server.submit("celery")
    (other,) = server.submit("raw")
    expect(line(visitor, mine)).to_be_visible()
    expect(line(visitor, other)).to_have_count(0)
    server.begin(mine)
    expect(line(visitor, mine)).to_have_count(0)
    visitor.page.reload()
    expect(visitor.page.locator("#filter-lane")).to_have_value("celery")


@pytest.mark.thorough
def test_back_shows_the_filters_of_the_list_it_goes_back_to(visit: Visit) -> None:
    visitor = visit()
    show(visitor, lane="raw")
    visitor.page.wait_for_url("**/?lane=raw#runs")
    show(visitor, lane="celery", state="FAILED")
    visitor.page.wait_for_url("**/?lane=celery&state=FAILED#runs")

    visitor.page.go_back()
    visitor.page.wait_for_url("**/?lane=raw#runs")
    expect(visitor.page.locator("#filter-lane")).to_have_value("raw")
    expect(visitor.page.locator("#filter-state")).to_have_value("")
    visitor.page.go_back()
    expect(visitor.page.locator("#filter-lane")).to_have_value("")


@pytest.mark.thorough
def test_a_filter_waits_until_the_choice_is_made(visit: Visit) -> None:
    visitor = visit()
    lane = visitor.page.locator("#filter-lane")
    lane.focus()
    for _ in range(2):  # celery, raw
        visitor.page.keyboard.press("ArrowDown")
    expect(lane).to_have_value("raw")
    expect(lane).to_be_focused()
    assert "lane" not in visitor.page.url
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url("**/?lane=raw#runs")


@pytest.mark.thorough
def test_forms_keep_what_was_filled_in(visit: Visit, server: Server) -> None:
    (run_id,) = server.submit("raw")
    visitor = visit()
    form = send(visitor, "raw")
    form.get_by_label("Job").select_option("classify_post")
    form.get_by_label("text").fill("a car of mine")
    form.get_by_label("Priority").fill("7")
    form.get_by_label("Job").select_option("process_task")
    form.get_by_label("task_num").fill("42")
    form.get_by_label("Job").select_option("classify_post")

    def is_as_it_was() -> None:
        expect(form.get_by_label("Job")).to_have_value("classify_post")
        expect(form.get_by_label("text")).to_have_value("a car of mine")
        expect(form.get_by_label("Priority")).to_have_attribute("max", "10")

    is_as_it_was()
    show(visitor, lane="raw")
    visitor.page.wait_for_url("**/?lane=raw#runs")
    is_as_it_was()
    line(visitor, run_id).locator("a").click()
    visitor.page.wait_for_url("**/runs/*")
    visitor.page.go_back()
    is_as_it_was()
    form.get_by_label("Job").select_option("process_task")
    expect(form.get_by_label("task_num")).to_have_value("42")
    expect(send(visitor, "celery").get_by_label("Job")).to_have_value("process_task")


@pytest.mark.thorough
def test_older_runs_are_a_click_away(visit: Visit, server: Server) -> None:
    ids = server.submit("celery", "sync_channels", count=60)
    visitor = visit("/?job=sync_channels")
    expect(line(visitor, ids[-1])).to_be_visible()
    visitor.page.get_by_role("link", name="Older").click()

    expect(line(visitor, ids[0])).to_be_visible()
    expect(line(visitor, ids[-1])).to_have_count(0)
    visitor.page.get_by_role("link", name="Newest").click()
    expect(line(visitor, ids[-1])).to_be_visible()


def test_an_empty_list_says_what_to_do(visit: Visit) -> None:
    visitor = visit("/?lane=inline&state=EXPIRED")

    expect(visitor.page.locator("[data-empty]")).to_contain_text("No run matches this filter")
    expect(visitor.page.locator("[data-empty] a")).to_have_attribute("href", "/#runs")


@pytest.mark.thorough
def test_a_page_that_lost_the_server_says_so_and_comes_back(visit: Visit, server: Server) -> None:
    visitor = visit()
    expect(visitor.page.locator("[data-connection]")).to_have_text("live")
    visitor.context.set_offline(True)
    visitor.page.evaluate("dispatchEvent(new Event('pagehide')); dispatchEvent(new Event('pageshow'))")
    expect(visitor.page.locator("[data-connection]")).to_have_text("reconnecting…")
    (run_id,) = server.submit()
    visitor.context.set_offline(False)

    expect(line(visitor, run_id)).to_be_visible()
    expect(visitor.page.locator("[data-connection]")).to_have_text("live")
    visitor.complaints.clear()  # the browser reports each failed attempt


@pytest.mark.thorough
def test_a_queue_that_nobody_reads_is_said_until_somebody_does(visit: Visit, server: Server) -> None:
    (run_id,) = server.submit("raw", "sync_channels")
    note = panel(visitor := visit(), "raw").locator("[data-unserved]")
    expect(note).to_have_text("No worker reads any queue of this lane: runs wait. Start one: ./kit scale consumer=1")
    expect(visit(f"/runs/{run_id}").page.locator(".alarm")).to_contain_text("No worker reads sheets_sync")
    expect(panel(visitor, "inline").locator("[data-unserved]")).not_to_be_visible()

    with working(server, "raw", ["default", "ai_processing", "publishing", "monitoring"]):
        expect(note).to_have_text(
            "No worker reads sheets_sync of this lane: runs wait. Start one: ./kit scale consumer=1"
        )
    with working(server, "raw", list(QUEUES)):
        expect(note).not_to_be_visible()
        assert visit(f"/runs/{run_id}").page.locator(".alarm").count() == 0
    expect(note).to_be_visible()


# ---------------------------------------------------------------- a run's own page


def test_a_runs_page_follows_the_run(visit: Visit, server: Server) -> None:
    (run_id,) = server.submit("raw", "process_task", args={"task_num": 3, "timeout": 2})
    visitor = visit(f"/runs/{run_id}")
    state = visitor.page.locator(".runhead .state")

    expect(state).to_have_text("PENDING")
    server.begin(run_id)
    expect(state).to_have_text("IN PROGRESS")
    server.end(run_id, result={"seen": "by the page"})
    expect(state).to_have_text("DONE")
    expect(visitor.page.locator("body")).to_contain_text("by the page")
    expect(visitor.page.locator(".events")).to_contain_text("succeeded")
    expect(visitor.page.locator("rect.phase-work")).to_have_count(1)


@pytest.mark.thorough
def test_a_run_is_cancelled_and_run_again_from_its_page(visit: Visit, server: Server) -> None:
    (run_id,) = server.submit("raw", countdown=60)
    visitor = visit(f"/runs/{run_id}")
    visitor.page.get_by_role("button", name="Cancel").click()
    expect(visitor.page.locator(".runhead .state")).to_have_text("REVOKED")
    visitor.page.get_by_role("button", name="Run it again").click()

    visitor.page.wait_for_url(lambda url: "/runs/" in url and run_id not in url)
    expect(visitor.page.locator(".runhead .state")).to_have_text("PENDING")
    expect(visitor.page.get_by_role("link", name="an earlier run")).to_have_attribute("href", f"/runs/{run_id}")


@pytest.mark.thorough
def test_a_runs_page_leaves_selection_focus_and_what_was_unfolded_alone(visit: Visit, server: Server) -> None:
    (run_id,) = server.submit("raw", "classify_post", args={"text": "Kia Rio\n" * 600})
    visitor = visit(f"/runs/{run_id}")
    page, long = visitor.page, visitor.page.locator("details.long")
    long.locator("summary").click()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.crumb code'))")
    page.get_by_role("button", name="Cancel").focus()
    server.begin(run_id)
    expect(page.locator(".runhead .state")).to_have_text("IN PROGRESS")
    expect(page.locator(".events")).to_contain_text("started")

    assert page.evaluate("String(getSelection())") == run_id
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    expect(long).to_have_attribute("open", "")
    server.end(run_id)
    expect(page.locator(".runhead .state")).to_have_text("DONE")
    assert page.evaluate("String(getSelection())") == run_id


def test_long_arguments_are_folded_and_very_long_ones_say_where_the_rest_is(visit: Visit, server: Server) -> None:
    (run_id,) = server.submit("raw", "classify_post", args={"text": "x" * 50_000})
    page = visit(f"/runs/{run_id}").page

    expect(page.locator("details.long pre")).not_to_be_visible()
    page.locator("details.long summary").click()
    expect(page.locator("details.long pre")).to_be_visible()
    expect(page.locator("details.long")).to_contain_text(f"/api/runs/{run_id}")
    assert len(page.locator("details.long pre").inner_text()) == 20_000


@pytest.mark.thorough
def test_text_from_right_to_left_turns_nothing_beside_it(visit: Visit, server: Server) -> None:
    (run_id,) = server.submit("raw", "classify_post", args={"text": "\u202e right to left"})
    server.begin(run_id)
    server.end(run_id, "FAILED", error="\u202eno good")
    run_page, listed = visit(f"/runs/{run_id}").page, visit("/?lane=raw")

    isolated = "every => every.map(each => getComputedStyle(each).unicodeBidi)"
    for part, of in ((".detail", run_page), (".call", run_page), (".c-job .call", listed.page)):
        assert set(of.locator(part).evaluate_all(isolated)) == {"isolate"}
    assert set(run_page.locator("pre code").evaluate_all(isolated)) == {"plaintext"}


# ---------------------------------------------------------------- for everyone


def background(visitor: Visitor) -> int:
    """The brightness of the page, from 0 to 255."""
    colour = visitor.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return int(re.findall(r"\d+", colour)[0])


@pytest.mark.thorough
def test_dark_or_light_as_the_system_says_until_the_visitor_chooses(visit: Visit) -> None:
    assert background(visit(color_scheme="light")) > 200
    visitor = visit(color_scheme="dark")
    assert background(visitor) < 60

    visitor.page.get_by_role("button", name="Switch between dark and light").click()
    assert background(visitor) > 200
    visitor.page.reload()
    assert background(visitor) > 200


def test_everything_can_be_done_from_the_keyboard(visit: Visit, server: Server) -> None:
    visitor = visit()
    page = visitor.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    job = send(visitor, "celery").get_by_label("Job")
    job.focus()
    for _ in range(10):  # each press goes to the next job with this letter; a word must be typed without a pause
        if job.input_value() != "debug_task":
            page.keyboard.press("d")
    expect(job).to_have_value("debug_task")
    for _ in range(4):  # priority, wait, times, button
        page.keyboard.press("Tab")
    button = send(visitor, "celery").get_by_role("button")
    expect(button).to_be_focused()
    assert button.evaluate("it => getComputedStyle(it).outlineStyle") == "solid"
    page.keyboard.press("Enter")

    expect(send(visitor, "celery").locator(".said")).to_have_text("1 run accepted.")
    expect(button).to_be_focused()
    assert server.http.get("/api/runs?lane=celery&limit=1").json()["runs"][0]["job"] == "debug_task"


def test_enter_in_a_field_sends(visit: Visit) -> None:
    form = send(visit(), "raw")
    form.get_by_label("task_num").press("Enter")

    expect(form.locator(".said")).to_have_text("1 run accepted.")


@pytest.mark.thorough
def test_what_is_said_is_said_to_those_who_listen(visit: Visit) -> None:
    page = visit().page

    for form in page.locator("form[data-send]").all():
        expect(form.locator(".said")).to_have_attribute("aria-live", "polite")
    for field in page.locator("form :is(input, select, textarea)").all():
        assert field.evaluate("it => it.labels.length") == 1


LANE_COLOURS = (
    "['celery', 'raw', 'inline'].map(l => getComputedStyle(document.querySelector(`.panel.lane-${l} .mark`)).color)"
)


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lanes_differ_also_for_eyes_that_mix_up_colours(visit: Visit, scheme: str) -> None:
    colours = [
        tuple(map(int, re.findall(r"\d+", c)[:3])) for c in visit(color_scheme=scheme).page.evaluate(LANE_COLOURS)
    ]

    for blindness, matrix in COLOUR_BLINDNESS.items():
        seen = [tuple(sum(m * c for m, c in zip(row, colour, strict=True)) for row in matrix) for colour in colours]
        for one, other in ((0, 1), (0, 2), (1, 2)):
            apart = sum((a - b) ** 2 for a, b in zip(seen[one], seen[other], strict=True)) ** 0.5
            assert apart > 60, f"{blindness}: {colours[one]} and {colours[other]}"


# Machado, Oliveira and Fernandes (2009), severity 1.0.
COLOUR_BLINDNESS = {
    "protanopia": [(0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)],
    "deuteranopia": [(0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)],
    "tritanopia": [(1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)],
}


@pytest.mark.thorough
def test_the_apis_description_opens_and_tries_out(visit: Visit) -> None:
    page = visit("/docs").page
    page.get_by_text("Submit a job").click()
    page.get_by_role("button", name="Execute").first.click()

    expect(page.locator(".live-responses-table tr.response .response-col_status").first).to_contain_text("202")

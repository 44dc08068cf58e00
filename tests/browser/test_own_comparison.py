"""A comparison of one's own: from the form, from a preset, with the keyboard alone, and as a command."""

import json
import re
import shlex
from typing import Any

import pytest

from cars_bot.comparisons.presets import PRESETS
from cars_bot.comparisons.request import ComparisonRequest
from tests.api.server import Server
from tests.browser.conftest import Visit, Visitor, sync_api
from tests.unit.commands.test_compare_command import asked

expect = sync_api.expect
pytestmark = pytest.mark.thorough
STARTED = re.compile(r"/comparisons/[0-9a-f-]{36}$")


def opened(visit: Visit, address: str = "/comparisons#own", **options: object) -> tuple[Visitor, "sync_api.Locator"]:
    """A visitor of the open form, and the form."""
    visitor = visit(address, **options)
    form = visitor.page.locator("[data-own]")
    expect(form.get_by_label("Name")).to_be_visible()
    return visitor, form


def row(form: "sync_api.Locator", listed: str, number: int = 0) -> "sync_api.Locator":
    """A row of the jobs or of the conditions."""
    return form.locator(f'[data-is="{listed}"] > li').nth(number)


def choose_lanes(form: "sync_api.Locator", *lanes: str) -> None:
    for name in ("Celery", "RabbitMQ", "Inline"):
        form.get_by_label(name, exact=True).set_checked(name in lanes)


def posted(visitor: Visitor, form: "sync_api.Locator") -> dict[str, Any]:
    """Press the button and return what the form sends. The server does not get it."""
    sent: list[dict[str, Any]] = []

    def keep(route: "sync_api.Route") -> None:
        sent.append(json.loads(route.request.post_data or ""))
        route.fulfill(status=202, json={"id": "none"})

    visitor.page.route("**/api/comparisons", keep)
    visitor.page.route("**/comparisons/none", lambda route: route.fulfill(body="started"))
    form.get_by_role("button", name="Start this comparison").click()
    visitor.page.wait_for_url("**/comparisons/none")
    visitor.page.unroute_all()
    return sent[0]


def as_request(body: dict[str, Any]) -> ComparisonRequest:
    return ComparisonRequest.model_validate(body)


def of_command(form: "sync_api.Locator", part: str) -> ComparisonRequest:
    """The request of the shown command, once it has this part."""
    shown = form.locator('[data-is="command"]')
    expect(shown).to_contain_text(part)
    kit, name, *words = shlex.split(shown.text_content() or "")
    assert (kit, name) == ("./kit", "compare")
    return as_request(asked(*words))


def test_the_form_starts_what_is_filled_in(visit: Visit, server: Server) -> None:
    visitor, form = opened(visit)
    form.get_by_label("Name").fill("My own")
    choose_lanes(form, "Inline")
    form.get_by_label("Job", exact=True).select_option("process_task")
    form.get_by_label("timeout").fill("0.02")
    form.get_by_label("Jobs on each lane").fill("3")
    form.get_by_label("They arrive").select_option("evenly")
    form.get_by_label("Jobs a second").fill("50")
    form.get_by_label("Priorities").fill("0, 5")
    form.get_by_role("button", name="Start this comparison").click()

    expect(visitor.page).to_have_url(STARTED)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("My own")
    expect(visitor.page.locator(".verdict")).to_have_text("All 3 jobs were done.")
    request = server.http.get(f"/api/comparisons/{visitor.page.url[-36:]}").json()["request"]
    assert as_request(request) == as_request({
        "name": "My own", "lanes": ["inline"], "count": 3, "arrivals": {"per_second": 50}, "priorities": [0, 5],
        "jobs": [{"job": "process_task", "args": {"task_num": 1, "timeout": 0.02, "worker_id": "worker"}}],
    })  # fmt: skip


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_in_the_form_is_the_same_request_and_so_is_the_command(visit: Visit, name: str) -> None:
    preset = as_request(PRESETS[name].request)
    visitor, form = opened(visit, f"/comparisons?preset={name}")

    assert of_command(form, "./kit compare") == preset
    assert as_request(posted(visitor, form)) == preset


def test_the_second_link_of_a_card_opens_the_form_with_the_preset(visit: Visit) -> None:
    page = visit("/comparisons").page
    expect(page.get_by_label("Name")).to_be_hidden()
    page.get_by_role("link", name="Change it first A worker freezes for three seconds").click()

    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("A worker freezes for three seconds")
    expect(page.get_by_label("Fault", exact=True)).to_have_value("freeze-worker")
    expect(page.get_by_label("For seconds")).to_have_value("3")


def test_the_fields_of_a_fault_are_those_that_concern_it(visit: Visit) -> None:
    visitor, form = opened(visit)
    form.get_by_role("button", name="Add a fault").click()
    fault = row(form, "conditions")

    def shown() -> list[str]:
        labels = fault.locator("label:visible").all_inner_texts()
        return [label.split()[0] for label in labels]

    assert shown() == ["After", "Fault", "Lane"]
    for what, fields in {"scale": ["Lane", "Workers"], "hang": ["Lane", "Calls", "For"], "empty-redis": []}.items():
        fault.get_by_label("Fault").select_option(what)
        assert shown() == ["After", "Fault", *fields]
    fault.get_by_label("Fault").select_option("hang")
    fault.get_by_label("Calls").fill("2")
    fault.get_by_label("For").fill("7.5")
    form.get_by_role("button", name="Add a fault").click()
    row(form, "conditions", 1).get_by_label("Lane").select_option("raw")

    request = of_command(form, "--at 1s:kill-worker:raw")
    assert [condition.model_dump(exclude_defaults=True) for condition in request.conditions] == [
        {"at": 1.0, "what": "hang", "calls": 2, "seconds": 7.5},
        {"at": 1.0, "what": "kill-worker", "lane": "raw"},
    ]
    assert as_request(posted(visitor, form)) == request


def test_jobs_are_added_and_removed_and_their_arguments_follow(visit: Visit) -> None:
    visitor, form = opened(visit)
    expect(form.get_by_role("button", name="Remove this job")).to_have_count(0)
    form.get_by_role("button", name="Add a job").click()
    expect(row(form, "jobs", 1).get_by_label("Job", exact=True)).to_be_focused()
    row(form, "jobs", 1).get_by_label("Job", exact=True).select_option("test_task")
    row(form, "jobs", 1).get_by_label("message").fill('it\'s a "quote" & $HOME')
    row(form, "jobs", 1).get_by_label("Times").fill("3")
    row(form, "jobs", 0).get_by_role("button", name="Remove this job").click()

    expect(row(form, "jobs").get_by_label("message")).to_have_value('it\'s a "quote" & $HOME')
    request = of_command(form, "./kit compare --job test_task")
    assert [(job.job, job.args) for job in request.jobs] == [("test_task", {"message": 'it\'s a "quote" & $HOME'})] * 3
    assert as_request(posted(visitor, form)) == request


def test_a_job_that_needs_a_post_names_none_unless_somebody_types_it(visit: Visit) -> None:
    _, form = opened(visit)

    assert of_command(form, "./kit compare") == ComparisonRequest()
    form.get_by_label("post_id").fill("3")
    assert of_command(form, "post_id").jobs[0].args == {"post_id": 3}


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [("Jobs on each lane", "0", "Jobs: "), ("Priorities", "0;5", "Priorities: write whole numbers"),
     ("End after", "", "End after: "), ("Name", "", "Name: "), ("timeout", "9999", "timeout: ")],
)  # fmt: skip
def test_a_mistake_is_told_beside_the_form_and_the_field_gets_the_focus(
    visit: Visit, server: Server, label: str, value: str, said: str
) -> None:
    before = server.http.get("/api/comparisons").json()
    _, form = opened(visit, "/comparisons?preset=bursts")
    form.get_by_label(label).fill(value)
    form.get_by_role("button", name="Start this comparison").click()

    expect(form.locator('[data-is="said"]')).to_contain_text(said)
    expect(form.get_by_label(label)).to_be_focused()
    expect(form.get_by_label(label)).to_have_value(value)
    expect(form.locator('[data-is="command"]')).to_contain_text("It stands here when each field is right.")
    assert server.http.get("/api/comparisons").json() == before


def test_no_lane_at_all_is_a_mistake(visit: Visit) -> None:
    _, form = opened(visit)
    choose_lanes(form)
    form.get_by_role("button", name="Start this comparison").click()

    expect(form.locator('[data-is="said"]')).to_have_text("Lanes: choose at least one")
    expect(form.get_by_label("Celery", exact=True)).to_be_focused()


def test_a_refusal_of_the_server_is_told_and_everything_typed_stays(visit: Visit) -> None:
    visitor, form = opened(visit, "/comparisons?preset=inline")
    form.get_by_label("Name").fill("Not possible")
    form.get_by_label("Wait").fill("7")
    form.get_by_role("button", name="Start this comparison").click()

    expect(form.locator('[data-is="said"]')).to_have_text(
        "body: the inline lane runs inside the request and cannot wait; leave countdown at 0"
    )
    expect(form.get_by_label("Name")).to_have_value("Not possible")
    expect(form.get_by_label("Wait")).to_have_value("7")
    assert visitor.complaints.pop().startswith("Failed to load resource")  # the browser itself reports the 422


def test_what_is_typed_is_there_again_after_the_page_was_left(visit: Visit) -> None:
    visitor, form = opened(visit, "/comparisons?preset=more-workers")
    form.get_by_label("Name").fill("Changed")
    row(form, "conditions", 1).get_by_role("button", name="Remove this fault").click()
    form.get_by_label("task_num").fill("77")
    before = of_command(form, '"task_num": 77')
    visitor.page.goto("/")
    visitor.page.go_back()

    expect(form.get_by_label("Name")).to_have_value("Changed")
    assert of_command(form, "Changed") == before
    assert (before.jobs[0].args["task_num"], len(before.conditions)) == (77, 1)


def test_the_keyboard_alone_fills_the_form_and_starts_it(visit: Visit) -> None:
    page = visit("/comparisons").page
    page.locator("#own > summary").focus()
    page.keyboard.press("Enter")

    def tab_to(name: str) -> None:
        """Press Tab until the element with this label or text has the focus."""
        for _ in range(40):
            page.keyboard.press("Tab")
            if name in page.evaluate(
                "[document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent].join()"
            ):
                return
        pytest.fail(f"Tab does not reach {name}")

    tab_to("Name")
    page.keyboard.press("Control+A")
    page.keyboard.type("By keyboard")
    for lane in ("Celery", "RabbitMQ", "Inline"):
        tab_to(lane)
        page.keyboard.press("Space")
    tab_to("Job")
    page.keyboard.type("debug")
    tab_to("Add a fault")
    page.keyboard.press("Enter")
    expect(page.get_by_label("After seconds", exact=True)).to_be_focused()
    tab_to("Remove this fault")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Add a fault")).to_be_focused()
    tab_to("Start this comparison")
    page.keyboard.press("Enter")

    expect(page).to_have_url(STARTED)
    expect(page.get_by_role("heading", level=1)).to_have_text("By keyboard")
    expect(page.locator(".verdict")).to_have_text("All 20 jobs were done.")


def test_the_command_is_copied_as_one_line(visit: Visit) -> None:
    visitor, form = opened(visit, "/comparisons?preset=kill-worker")
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = form.locator('[data-is="command"]')
    expect(shown).to_contain_text("./kit compare")
    form.get_by_role("button", name="Copy").click()

    expect(form.locator('[data-is="copied"]')).to_have_text("Copied.")
    assert visitor.page.evaluate("navigator.clipboard.readText()") == shown.text_content()


def test_a_refused_address_shows_the_reason_and_the_rest_of_its_values(visit: Visit) -> None:
    _, form = opened(visit, '/comparisons?job=process_task&args={"task_num":5,"timeout":"soon"}')

    expect(form.get_by_role("alert")).to_contain_text("timeout: Input should be a valid number")
    expect(form.get_by_role("alert")).to_contain_text('"soon"')
    expect(form.get_by_label("task_num")).to_have_value("5")
    expect(form.get_by_label("timeout")).to_have_value("")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_open_form_is_not_wider_than_its_window(visit: Visit, width: int) -> None:
    visitor, form = opened(visit, "/comparisons?preset=slow-before-quick", viewport={"width": width, "height": 800})
    form.get_by_role("button", name="Add a fault").click()
    form.get_by_label("Fault", exact=True).select_option("hang")
    of_command(form, "--at")

    assert visitor.overflow() == 0

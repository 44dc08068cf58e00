"""Every page of the kit with something on it, for the tests that go over all pages.

A server without a broker makes these pages. The tests play its workers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from axe_playwright_python.sync_playwright import Axe

from tests.api.server import Server
from tests.browser.conftest import sync_api
from tests.kit import NO_TLS, ROOT, until
from tests.stand_in import stand_in

LONG_WORD = "оченьдлинноеслово" * 20  # no page may become wider because of it
SHORT = {"job": "process_task", "args": {"task_num": 1, "timeout": 0.02}}


TEMPLATES = [ROOT / "api" / "pages" / "templates", ROOT / "outside_world" / "templates"]
IN_ANOTHER_TEST = {"dead_letter.html"}  # test_dead_letters.py, because it needs a broker

SERIOUS = ("serious", "critical")
OF_COLOURS = ("color-contrast", "link-in-text-block")  # the rules of axe-core that depend on colours
# Faults of Swagger UI itself, which is unchanged: pale badges, and a button for copying inside another button.
OF_SWAGGER = ("color-contrast", "nested-interactive")
IN_SWAGGER = "targets => targets.map((target) => !!document.querySelector(target).closest('.swagger-ui'))"


@dataclass(frozen=True)
class Place:
    """A page.

    Attributes:
        `address`: its path, with names for the ids that `stage` makes.
        `template`: the template that it is made from.
        `drawn`: a selector of an element that is there when the page's scripts have drawn everything.
        `complains`: the browser reports an error there, and this is right.
    """

    address: str
    template: str
    drawn: str = "main"
    complains: bool = False


PLACES = {
    "lanes": Place("/", "index.html", '[data-chart="rate"] canvas'),
    "no run": Place("/?lane=inline&state=EXPIRED", "index.html", '[data-chart="rate"] canvas'),
    "open run": Place("/runs/{open_run}", "run.html"),
    "failed run": Place("/runs/{failed_run}", "run.html"),
    "comparisons": Place("/comparisons", "comparisons.html"),
    "own comparison": Place(
        "/comparisons?preset=kill-worker", "own_comparison.html", '[data-is="command"]:not(:empty)'
    ),
    "ended comparison": Place("/comparisons/{ended}", "comparison.html", "[data-player]:not([hidden])"),
    "running comparison": Place("/comparisons/{running}", "comparison.html", "[data-flow] canvas[style]"),
    "two comparisons": Place("/comparisons/{ended}?beside={stopped}", "beside.html"),
    "code": Place("/parity", "parity.html"),
    "dead letters": Place("/dead-letters", "dead_letters.html"),
    "API": Place("/docs", "docs.html", ".opblock"),
    "error": Place("/runs/none", "problem.html", complains=True),
    "outside world": Place("{outside}/?chat=@news", "world.html", "body"),
    "API of the outside world": Place("{outside}/docs", "api.html", ".opblock"),
}


def faults(page: "sync_api.Page", colours_only: bool = False) -> list[str]:
    """The serious faults that axe-core finds on a page, also in all that is folded."""
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
    only = {"runOnly": {"type": "rule", "values": OF_COLOURS}} if colours_only else {}
    found = [
        (fault["id"], node)
        for fault in Axe().run(page, options={"resultTypes": ["violations"]} | only).response["violations"]
        if fault["impact"] in SERIOUS
        for node in fault["nodes"]
    ]
    in_swagger = page.evaluate(IN_SWAGGER, [node["target"][0] for _, node in found])
    return [
        f"{rule}: {node['html'][:160]}\n{node['failureSummary']}"
        for (rule, node), is_in_swagger in zip(found, in_swagger, strict=True)
        if not (is_in_swagger and rule in OF_SWAGGER)
    ]


@contextmanager
def stage(server: Server) -> Iterator[dict[str, str]]:
    """Make runs, comparisons and an outside world with posts. Yields the ids and addresses for `Place.address`."""
    with stand_in() as (outside, _):
        fill(outside)
        (open_run,) = server.submit("celery", "process_task", args={"task_num": 3, "timeout": 2})
        ids = {"outside": outside, "open_run": open_run, "failed_run": failed_run(server)}
        ids["ended"] = ended_comparison(server)
        ids["stopped"] = stopped_comparison(server)
        ids["running"] = running_comparison(server)
        try:
            yield ids
        finally:
            server.http.post(f"/api/comparisons/{ids['running']}/stop").raise_for_status()


def fill(outside: str) -> None:
    """Post a message into a channel of the outside world, write a row into a sheet, and order a fault."""
    with httpx.Client(base_url=outside, timeout=30, trust_env=False, verify=NO_TLS) as world:
        for text in ("Продам Kia Rio", LONG_WORD):
            world.post("/telegram/bot1:stand-in/sendMessage", data={"chat_id": "@news", "text": text})
        token = world.post("/google/token", data={"grant_type": "refresh_token", "refresh_token": "any"}).json()
        world.post(
            "/google/v4/spreadsheets/cars/values/Sheet1!A1:append?valueInputOption=RAW",
            json={"values": [["Kia Rio", 550_000, LONG_WORD]]},
            headers={"Authorization": f"Bearer {token['access_token']}"},
        ).raise_for_status()
        world.post("/_control/faults", json={"service": "openai", "fault": "error", "next": 3}).raise_for_status()


def failed_run(server: Server) -> str:
    """A run with long texts that failed at its first attempt."""
    (run_id,) = server.submit("celery", "classify_post", args={"text": LONG_WORD})
    server.begin(run_id)
    server.end(run_id, "FAILED", error="x" * 300)
    return run_id


def start(server: Server, **wanted: object) -> str:
    """Start a comparison and return its id."""
    made = server.http.post("/api/comparisons", json={"jobs": [SHORT], **wanted})
    assert made.status_code == 202, made.text
    return str(made.json()["id"])


def runs_of(server: Server, comparison: str, count: int) -> list[str]:
    """Wait until the comparison has submitted so many runs on its lanes, and return those of the lanes with a queue."""
    address = f"/api/comparisons/{comparison}/picture"
    shown = until(
        lambda: (found := server.http.get(address).json()["runs"]) and len(found) == count and found, 15, "submitted"
    )
    return [run["id"] for run in shown if run["lane"] != "inline"]


def ended_comparison(server: Server) -> str:
    """A comparison of all lanes with a fault. The test plays the workers, and one run fails."""
    comparison = start(
        server, name="Cars" * 25, lanes=["celery", "raw", "inline"], count=3, conditions=[{"at": 0, "what": "error"}]
    )
    failing, *others = runs_of(server, comparison, 9)
    for run_id in (failing, *others):
        server.begin(run_id)
    server.end(failing, "FAILED", error="a mistake")
    for run_id in others:
        server.end(run_id)
    return until_ended(server, comparison)


def stopped_comparison(server: Server) -> str:
    """A comparison of two lanes that was stopped before a run began."""
    comparison = start(server, name="Stopped", lanes=["celery", "raw"], count=2)
    runs_of(server, comparison, 4)
    server.http.post(f"/api/comparisons/{comparison}/stop").raise_for_status()
    return until_ended(server, comparison)


def until_ended(server: Server, comparison: str) -> str:
    until(lambda: server.http.get(f"/api/comparisons/{comparison}").json()["state"] == "ENDED", 30, "it has ended")
    return comparison


def running_comparison(server: Server) -> str:
    """A comparison that runs until it is stopped. One of its runs is at work."""
    comparison = start(server, name="Runs until it is stopped", lanes=["celery", "raw"], count=2, deadline=3600.0)
    server.begin(runs_of(server, comparison, 4)[0])
    return comparison

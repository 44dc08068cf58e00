"""Pages as the server makes them: readable without a script, escaped, and with nothing from other computers."""

import re
import sqlite3
import time
from pathlib import Path

import pytest

from api.pages import forms, timeline_strip
from api.schemas import Happening
from tests.api.server import Server

STATIC = Path(__file__).resolve().parents[2] / "api" / "pages" / "static"


def page(server: Server, path: str = "/") -> str:
    reply = server.http.get(path, headers={"Accept": "text/html"})
    assert reply.headers["content-type"].startswith("text/html"), reply.text
    return reply.text


def test_the_newest_runs_stand_in_the_page_before_any_script_has_run(server: Server) -> None:
    (run_id,) = server.submit("raw", "process_task", args={"task_num": 41, "timeout": 2})

    html = page(server)
    assert f'href="/runs/{run_id}"' in html
    assert "(41, 2.0)" in html


def test_filters_work_without_a_script(server: Server) -> None:
    (celery,) = server.submit("celery", "sync_channels")
    (raw,) = server.submit("raw", "debug_task")

    html = page(server, "/?lane=celery&state=&job=sync_channels")
    assert celery in html
    assert raw not in html
    assert '<option value="celery" selected>' in html


def test_older_runs_are_a_link_away(own_server: Server) -> None:
    ids = own_server.submit(count=60)
    older = re.search(r'data-older href="([^"]+)"', page(own_server))

    assert older
    html = page(own_server, older.group(1).partition("#")[0].replace("&amp;", "&"))
    assert ids[0] in html
    assert ids[-1] not in html


@pytest.mark.parametrize("path", ["/?lane=fast", "/?state=done", "/?job=nothing", "/?before=%00"])
def test_a_wrong_filter_is_a_page_that_says_so(server: Server, path: str) -> None:
    reply = server.http.get(path, headers={"Accept": "text/html"})

    assert reply.status_code == 422
    assert "That cannot be shown" in reply.text


def test_an_unknown_run_is_a_page_that_says_so(server: Server) -> None:
    reply = server.http.get("/runs/none", headers={"Accept": "text/html"})

    assert reply.status_code == 404
    assert "there is no run" in reply.text


def test_what_a_job_says_is_text_and_never_markup(server: Server) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    (run_id,) = server.submit("raw", "test_task", args={"message": evil})
    server.begin(run_id)
    server.report(run_id, "FAILED", attempt=1, began=time.time(), error=evil)

    for path in ("/", f"/runs/{run_id}"):
        html = page(server, path)
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "&lt;script&gt;" in html


def test_a_runs_page_shows_arguments_result_and_where_its_time_went(server: Server) -> None:
    (run_id,) = server.submit("inline", "process_task", args={"task_num": 5, "timeout": 0.1})

    html = page(server, f"/runs/{run_id}")
    assert "&#34;task_num&#34;: 5" in html
    assert "&#34;status&#34;: &#34;success&#34;" in html
    assert re.search(r"at work <b>1\d\d ms</b>", html)
    assert "4, the first and 3 retries" in html


def test_nothing_is_fetched_from_elsewhere(server: Server) -> None:
    (run_id,) = server.submit()
    for path in ("/", "/docs", f"/runs/{run_id}"):
        html = page(server, path)
        assert re.findall(r'(?:src|srcset|data)="(https?:)?//', html) == []
        for link in re.findall(r"<link[^>]+>", html):
            assert 'href="/static/' in link
        assert "<style" not in html
        assert ' style="' not in html
        assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    for file in [*STATIC.glob("*.css"), *STATIC.glob("*.js"), STATIC / "vendor" / "pico.min.css"]:
        assert re.findall(r"url\(['\"]?https?:|@import|from \"https?:", file.read_text(encoding="utf-8")) == [], file


def test_the_apis_description_is_complete(server: Server) -> None:
    description = server.http.get("/openapi.json").json()

    submit = description["paths"]["/api/runs"]["post"]
    assert {"202", "400", "413", "415", "422", "503"} <= set(submit["responses"])
    assert description["components"]["schemas"]["Submission"]["examples"]
    assert all(operation.get("summary") for path in description["paths"].values() for operation in path.values())


@pytest.mark.thorough
def test_alive_is_not_ready(own_server: Server) -> None:
    ready = own_server.http.get("/readyz")
    assert (ready.status_code, ready.json()["ready"], ready.json()["rabbitmq"]) == (200, True, False)

    own_server.stop()
    own_server.environment["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    with pytest.raises(AssertionError):  # it cannot make its tables, so it does not start
        own_server.start()


@pytest.mark.thorough
def test_a_locked_database_means_503_and_come_back(own_server: Server) -> None:
    lock = sqlite3.connect(own_server.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    reply = own_server.http.post("/api/runs", json={"job": "debug_task", "lane": "raw"})

    assert (reply.status_code, reply.json()["error"]) == (503, "storage_unavailable")
    assert int(reply.headers["retry-after"]) > 0
    assert own_server.http.get("/").status_code == 200, "reading goes on"
    lock.close()
    assert own_server.counts() == 0


# ---------------------------------------------------------------- the timeline strip and forms


def drawn(*events: tuple[float, str], ended: bool = True, now: float = 10.0) -> list[tuple[str, float]]:
    strip = timeline_strip.strip([Happening(at=at, event=event) for at, event in events], ended, now)
    return [(part.kind, round(part.seconds, 3)) for part in strip.parts]


def test_a_strip_tells_where_the_time_went() -> None:
    events = [
        (0.0, "accepted"),
        (1.0, "published"),
        (3.0, "started"),
        (4.0, "retry"),
        (6.0, "started"),
        (9.0, "succeeded"),
    ]

    assert drawn(*events) == [("outbox", 1), ("queue", 2), ("work", 1), ("wait", 2), ("work", 3)]
    assert drawn(*events[:3], ended=False) == [("outbox", 1), ("queue", 2), ("work", 7)]
    assert drawn((0.0, "accepted"), ended=False) == [("outbox", 10)]


def test_a_worker_faster_than_the_confirm_is_drawn_at_work() -> None:
    assert drawn((0.0, "accepted"), (1.0, "started"), (2.0, "published"), (3.0, "succeeded")) == [
        ("outbox", 1),
        ("work", 2),
    ]


def test_an_attempt_that_was_cut_off_ends_where_it_ended() -> None:
    def told(event: str, at: float, worker: str = "") -> Happening:
        return Happening(at=at, event=event, worker=worker)

    began = [told("accepted", 0), told("published", 1), told("started", 2, "a/1")]
    rest = [told("redelivered", 6, "a/2"), told("started", 6, "a/2"), told("succeeded", 8, "a/2")]

    def parts(*middle: Happening) -> list[tuple[str, float]]:
        strip = timeline_strip.strip([*began, *middle, *rest], ended=True)
        return [(part.kind, part.seconds) for part in strip.parts]

    waited, worked = [("outbox", 1), ("queue", 1)], [("work", 2)]
    assert parts(told("lost", 3, "a/1")) == [*waited, ("lost", 1), ("queue", 3), *worked], "the worker was lost"
    assert parts(told("lost", 4)) == [*waited, ("lost", 2), ("outbox", 2), *worked], "the message was lost"
    assert parts() == [*waited, ("lost", 4), *worked], "nobody noticed before the broker did"
    late = told("delivered", 4, "a/2"), told("redelivered", 4, "a/2"), told("lost", 5, "a/1")
    assert parts(*late) == [*waited, ("lost", 2), ("queue", 1), ("queue", 1), *worked], "the broker was first"


def test_a_copy_that_leaves_an_attempt_alone_does_not_end_its_work() -> None:
    began = (0.0, "accepted"), (1.0, "published"), (2.0, "started")
    worked = [("outbox", 1), ("queue", 1), ("work", 3)]

    assert drawn(*began, (3.0, "delivered"), (5.0, "succeeded")) == worked
    assert drawn(*began, (3.0, "delivered"), (3.0, "redelivered"), (5.0, "succeeded")) == worked


def test_waiting_is_told_apart_by_where_a_run_waits() -> None:
    events = (0.0, "accepted"), (1.0, "published"), (3.0, "delivered"), (6.0, "started"), (10.0, "succeeded")

    assert drawn(*events) == [("outbox", 1), ("queue", 2), ("held", 3), ("work", 4)]


def test_a_strip_is_never_longer_than_its_frame() -> None:
    events = [Happening(at=0.0, event="accepted")]
    for attempt in range(300):
        events += [Happening(at=attempt + 0.1, event="started"), Happening(at=attempt + 0.2, event="retry")]
    strip = timeline_strip.strip(events, ended=False, now=400.0)

    assert max(part.x + part.width for part in strip.parts) <= timeline_strip.WIDTH + 1


def test_every_job_has_a_form_whose_example_needs_no_typing() -> None:
    for job in forms.jobs():
        assert all(field.value for field in job.fields if field.required), job.name
    task = next(job for job in forms.jobs() if job.name == "process_task")
    assert [(f.name, f.type, f.required, f.value, f.maximum) for f in task.fields] == [
        ("task_num", "integer", True, "1", None),
        ("timeout", "number", True, "2", 3_600.0),
        ("worker_id", "string", False, "worker", None),
    ]

"""Dead letters, the same on both lanes: how they arise, how a person reads them, replays them and discards them."""

import base64
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cars_bot import runs
from tests.contract.dead_letters import (
    EXCHANGES,
    PROGRAMS,
    bury,
    hostile,
    letters,
    listed,
    message,
    send,
    strange,
)
from tests.contract.test_by_hand import python
from tests.contract.test_workflow import follow
from tests.kit import ROOT, Kit, until

DELAY = {"task_num": 1, "timeout": 0}


@pytest.fixture(autouse=True)
def the_broker_keeps_them(kit: Kit, request: pytest.FixtureRequest) -> None:
    """Skip the test if Redis is Celery's broker: it keeps no dead letters, so there is nothing to test."""
    lane = request.getfixturevalue("lane") if "lane" in request.fixturenames else "celery"
    note = kit.http.get("/api/dead-letters", params={"lane": lane}).json()["notes"].get(lane, "")
    if "Redis" in note:
        pytest.skip(note)


def buried(kit: Kit, lane: str, count: int) -> list[str]:
    """Put `count` good messages among the dead letters. Return the ids of their runs, in order."""
    ids = [runs.new_id() for _ in range(count)]
    bury(kit, lane, *(message(lane, run_id, **DELAY) for run_id in ids))
    until(lambda: order(kit, lane, ids) == ids, 10, "all are listed, in order")
    return ids


def order(kit: Kit, lane: str, ids: list[str]) -> list[str]:
    """The runs of these that have a letter, oldest letter first."""
    return [letter["run"] for letter in letters(kit, lane) if letter["run"] in ids]


def post(kit: Kit, action: str, lane: str, **which: Any) -> dict[str, Any]:
    """Replay or discard over HTTP."""
    reply = kit.http.post(f"/api/dead-letters/{action}", json={"lane": lane, **which})
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def children(kit: Kit, parent: str) -> list[str]:
    """The runs whose parent is `parent`."""
    found = python(
        kit,
        "import json\nfrom cars_bot import database, runs\nfrom cars_bot.database import run_lists\n"
        "with database.statements() as c:\n"
        f"    print(json.dumps([run.id for run in run_lists.page(c, parent={parent!r})]))",
    )
    ids: list[str] = json.loads(found)
    return ids


# ---------------------------------------------------------------- how they come to be


@pytest.mark.feature("dead letters with replay")
def test_a_failed_runs_message_is_listed_with_its_reason(kit: Kit, lane: str) -> None:
    run = kit.ended(kit.submit(lane, "refuse")[0])
    letter = listed(kit, lane, run["id"])

    assert (letter["id"], letter["job"], letter["queue"]) == (run["id"], "refuse", "default")
    assert "Permanent: no" in letter["reason"]
    assert (letter["args"], letter["retries"], letter["replayable"]) == ({}, 0, True)
    assert abs(letter["died_at"] - run["finished_at"]) < 5


def test_a_run_that_was_retried_in_vain_says_how_often(kit: Kit, lane: str) -> None:
    run = kit.ended(kit.submit(lane, "fail_times", args={"times": 99})[0])
    letter = listed(kit, lane, run["id"])

    assert (letter["retries"], letter["args"]) == (2, {"times": 99})
    assert "attempt 3 fails on purpose" in letter["reason"]


def test_a_message_that_outlived_its_queue_is_listed_as_expired(kit: Kit, lane: str) -> None:
    run_id = runs.new_id()
    kit.command("scale", f"{PROGRAMS[lane]}=0")
    try:
        send(kit, EXCHANGES[lane], "default", message(lane, run_id, **DELAY), expiration="10")
        letter = listed(kit, lane, run_id)
    finally:
        kit.command("scale", f"{PROGRAMS[lane]}=1")

    assert (letter["reason"], letter["queue"], letter["args"]) == ("expired", "default", DELAY)
    assert abs(letter["died_at"] - time.time()) < 60


@pytest.mark.feature("JSON only, validated")
def test_what_is_no_run_is_put_aside_and_harms_nobody(kit: Kit, lane: str, worker: str, tmp_path: Path) -> None:
    trap = tmp_path / "a pickle was read"
    post(kit, "discard", lane, all=True)
    pid = kit.pid(worker)
    cases = strange(lane, trap)
    for case, (properties, body) in cases.items():
        send(kit, EXCHANGES[lane], "default", (properties, body), app_id=case)

    found = until(lambda: len(there := letters(kit, lane)) == len(cases) and there, 30, f"all {len(cases)} are listed")
    whole = [kit.http.get(f"/api/dead-letters/{each['id']}", params={"lane": lane}).json() for each in found]
    assert {each["properties"]["app_id"] for each in whole} == set(cases)
    for each in whole:
        _properties, body = cases[each["properties"]["app_id"]]
        shown = base64.b64decode(each["body"]) if each["encoding"] == "base64" else each["body"].encode()
        assert (each["body_bytes"], shown) == (len(body), body[: len(shown)]), each["properties"]["app_id"]
        assert each["reason"]
    assert kit.ended(kit.submit(lane, "debug_task")[0])["state"] == "DONE"
    assert kit.pid(worker) == pid, "the worker died of it"
    assert not trap.exists()


def test_garbage_in_the_queue_itself_is_read_by_its_hash(kit: Kit, lane: str) -> None:
    bury(kit, lane, ({"content_type": "text/plain"}, b"\xff not a run"))
    (letter,) = until(lambda: [x for x in letters(kit, lane) if "text/plain" in x["reason"]], 10, "it is listed")

    assert (letter["run"], letter["args"], letter["replayable"]) == (None, None, False)
    shown = json.loads(kit.command("dead-letters", "show", "--lane", lane, letter["id"]).stdout)
    assert base64.b64decode(shown["body"]) == b"\xff not a run"
    answer = post(kit, "replay", lane, runs=[letter["id"]])
    assert (answer["replayed"], list(answer["refused"])) == ({}, [letter["id"]])
    assert post(kit, "discard", lane, runs=[letter["id"]])["discarded"] == [letter["id"]]


def test_a_letter_whose_header_cannot_be_read_hides_no_other(
    kit: Kit, lane: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (before,) = buried(kit, lane, 1)
    with monkeypatch.context() as patch:
        patch.setattr("pika.data.calendar.timegm", lambda _time: 1_795_000_000_000)  # milliseconds: a common mistake
        bury(kit, lane, ({"content_type": "text/odd", "headers": {"sent": datetime.now(UTC)}}, b"{}"))
    (after,) = buried(kit, lane, 1)

    assert order(kit, lane, [before, after]) == [before, after]
    assert any("text/odd" in letter["reason"] for letter in letters(kit, lane))


def test_letters_made_to_break_the_list_are_listed_like_any_other(kit: Kit, lane: str) -> None:
    (before,) = buried(kit, lane, 1)
    made = hostile(lane)
    bury(kit, lane, *made)
    (after,) = buried(kit, lane, 1)

    seen = letters(kit, lane)
    places = [place for place, letter in enumerate(seen) if letter["run"] in (before, after)]
    assert places[1] - places[0] == len(made) + 1, "all of them are between"
    for letter in seen[places[0] : places[1]]:
        assert kit.http.get(f"/api/dead-letters/{letter['id']}", params={"lane": lane}).status_code == 200
        page = kit.http.get(f"/dead-letters/{lane}/{letter['id']}", headers={"Accept": "text/html"})
        assert page.status_code == 200
    assert kit.http.get("/dead-letters", headers={"Accept": "text/html"}).status_code == 200
    assert post(kit, "discard", lane, all=True)["missing"] == []


# ---------------------------------------------------------------- what a person does with them


@pytest.mark.feature("dead letters with replay")
def test_replaying_makes_a_new_run_with_the_old_one_as_its_parent_and_removes_the_letter(kit: Kit, lane: str) -> None:
    ids = buried(kit, lane, 5)
    answer = post(kit, "replay", lane, runs=[ids[2]])

    (new,) = answer["replayed"].values()
    run = kit.ended(new)
    assert (run["state"], run["parent"], run["lane"], run["job"]) == ("DONE", ids[2], lane, "process_task")
    assert order(kit, lane, ids) == [ids[0], ids[1], ids[3], ids[4]], "the others are where they were"


def test_a_run_that_fails_again_is_a_dead_letter_again(kit: Kit, lane: str) -> None:
    failed = kit.ended(kit.submit(lane, "refuse")[0])["id"]
    listed(kit, lane, failed)
    (again,) = post(kit, "replay", lane, runs=[failed])["replayed"].values()

    assert listed(kit, lane, again)["job"] == "refuse"
    assert order(kit, lane, [failed]) == []


def test_the_steps_after_a_replayed_one_follow_it(kit: Kit, lane: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    first = kit.submit(lane, "need_a_file", args={"path": str(file)})[0]
    _, failed = follow(kit, first, "step_that_needs_a_file")
    until(lambda: order(kit, lane, [failed["id"]]), 10, "its letter is listed")

    file.touch()
    (new,) = post(kit, "replay", lane, runs=[failed["id"]])["replayed"].values()
    again, last = follow(kit, new, "last_step")
    assert (again["parent"], again["result"], last["result"]) == (failed["id"], "found", "last")


def test_whoever_dies_between_the_new_run_and_the_old_letter_makes_no_second_run(kit: Kit, lane: str) -> None:
    (run_id,) = buried(kit, lane, 1)
    died = subprocess.run(
        [sys.executable, "-c", "from api.dead_letters import replay\n"
         f"replay.replay({lane!r}, lambda letter: letter.id == {run_id!r})"],
        cwd=ROOT, env=kit.environment | {"CRASH_AT": "after-replay"}, check=False,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL
    until(lambda: order(kit, lane, [run_id]) == [run_id], 10, "the letter is back")
    (made,) = children(kit, run_id)

    assert kit.ended(made)["state"] == "DONE", "the run was durable"
    assert post(kit, "replay", lane, runs=[run_id])["replayed"] == {run_id: made}
    assert children(kit, run_id) == [made]
    assert order(kit, lane, [run_id]) == []


def test_discarding_removes_only_what_was_named(kit: Kit, lane: str) -> None:
    ids = buried(kit, lane, 5)
    done = kit.command("dead-letters", "discard", "--lane", lane, ids[1], ids[3], "not-there", check=False)

    assert done.returncode == 1, "one of them is not there"
    assert done.stdout.split() == [ids[1], ids[3]]
    assert "not-there" in done.stderr
    assert order(kit, lane, ids) == [ids[0], ids[2], ids[4]]


def test_all_at_once_from_the_command_line(kit: Kit, lane: str) -> None:
    post(kit, "discard", lane, all=True)
    ids = buried(kit, lane, 3)
    assert kit.command("dead-letters", "replay", "--lane", lane, check=False).returncode == 2, "neither named nor --all"
    table = kit.command("dead-letters", "list", "--lane", lane).stdout
    assert all(run_id in table for run_id in ids)

    new = kit.command("dead-letters", "replay", "--lane", lane, "--all").stdout.split()
    assert kit.all_ended(new, 20)["done"] == 3
    answer = json.loads(kit.command("dead-letters", "list", "--lane", lane, "--json").stdout)
    assert (answer["letters"], answer["totals"]) == ([], {lane: 0})


def test_a_message_that_names_an_open_run_does_what_its_row_says(kit: Kit, lane: str) -> None:
    run_id = kit.submit(lane, "process_task", args={"task_num": 1, "timeout": 0}, countdown=3)[0]
    other = message(lane, run_id, task_num=99, timeout=0)
    send(kit, EXCHANGES[lane], "default", other, other)

    run = kit.ended(run_id)
    assert (run["state"], run["attempt"], run["result"]["task_num"]) == ("DONE", 1, 1)
    assert run["started_at"] - run["accepted_at"] > 2.5


def test_a_message_that_names_an_open_run_of_another_job_is_put_aside_and_the_run_goes_its_way(
    kit: Kit, lane: str
) -> None:
    run_id = kit.submit(lane, "process_task", args={"task_num": 1, "timeout": 0}, countdown=3)[0]
    send(kit, EXCHANGES[lane], "default", message(lane, run_id, "debug_task"))

    assert "the message says debug_task" in listed(kit, lane, run_id)["reason"] or lane == "celery"
    assert kit.ended(run_id)["state"] == "DONE"


def test_a_letter_whose_run_is_open_is_not_replayed(kit: Kit, lane: str) -> None:
    (run_id,) = kit.submit(lane, "process_task", args={"task_num": 1, "timeout": 0}, countdown=600)
    bury(kit, lane, message(lane, run_id, **DELAY))
    listed(kit, lane, run_id)

    answer = post(kit, "replay", lane, runs=[run_id])
    assert answer["replayed"] == {}
    assert "goes on by itself" in answer["refused"][run_id]
    kit.http.post(f"/api/runs/{run_id}/cancel")
    assert post(kit, "replay", lane, runs=[run_id])["replayed"].keys() == {run_id}


def test_a_run_killed_at_its_hard_limit_leaves_a_dead_letter(kit: Kit, lane: str) -> None:
    (run_id,) = kit.submit(lane, "overrun_stubbornly", args={"seconds": 30.0})

    assert kit.ended(run_id)["error"].startswith("TimeLimitExceeded: killed")
    listed(kit, lane, run_id)


def test_an_unreadable_message_that_names_an_open_run_ends_it(kit: Kit) -> None:
    (run_id,) = kit.submit("raw", "process_task", args=DELAY, countdown=600)
    properties, _ = message("raw", run_id)
    send(kit, EXCHANGES["raw"], "default", (properties, b"[1, 2"))

    run = kit.ended(run_id)
    assert run["state"] == "FAILED"
    assert run["error"].startswith("its message was put aside: undecodable")


def test_a_celery_message_whose_limit_leaves_no_time_is_begun_twice_at_most(kit: Kit) -> None:
    def log() -> str:
        return (kit.run_dir / "logs" / "celery_worker-1.log").read_text(errors="replace")

    limits = "time_limit=0.02, soft_time_limit=0.01"
    run_id = python(
        kit, f"from celery_tasks import process_task\nprint(process_task.apply_async((1, 30), {limits}).id)"
    )

    listed(kit, "celery", run_id)
    reply = kit.http.get(f"/api/runs/{run_id}")
    assert reply.status_code == 404 or kit.ended(run_id)["attempt"] <= 1
    # A worker takes a message only when it has killed the child of the one before.
    assert kit.ended(kit.submit("celery", "debug_task")[0])["state"] == "DONE"
    kit.family("celery_worker-1")
    # A worker that reads ahead may give a message back before it begins it. Such a delivery does not count.
    assert f"[{run_id}] received" in log()
    assert log().count(f"Soft time limit (0.01s) exceeded for process_task[{run_id}]") <= 2

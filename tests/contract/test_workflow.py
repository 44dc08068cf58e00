"""Workflows on every lane: jobs one after the other, each a run. No step is lost or done twice."""

from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_by_hand import python
from tests.kit import Kit, until

CAR = "Продам Toyota Camry 2015, пробег 120 000 км, 1 250 000 руб, Москва, 8 916 123-45-67"
NO_CAR = "Шиномонтаж 24 часа, +7 912 345-67-89"


def after(kit: Kit, run_id: str) -> list[dict[str, Any]]:
    """The runs whose parent is that run."""
    listed = kit.http.get("/api/runs", params={"limit": 200}).json()["runs"]
    return [run for run in listed if run["parent"] == run_id]


def follow(kit: Kit, run_id: str, *jobs: str) -> list[dict[str, Any]]:
    """Wait until the steps of a workflow have ended one after the other. Return their runs."""
    steps = [kit.ended(run_id)]
    for job in jobs:
        (following,) = until(lambda: after(kit, steps[-1]["id"]), 20, f"{job} follows")
        assert following["job"] == job
        steps.append(kit.ended(following["id"]))
    return steps


@pytest.mark.feature("workflow")
def test_a_workflow_goes_its_whole_way(kit: Kit, any_lane: str) -> None:
    first = kit.submit(any_lane, "describe_post", args={"text": CAR}, priority=3)[0]
    classified, extracted, described = follow(kit, first, "extract_data", "generate_description")

    assert [run["state"] for run in (classified, extracted, described)] == ["DONE"] * 3
    assert classified["result"]["is_sale"] is True
    assert (extracted["result"]["make"], extracted["result"]["price"]) == ("Toyota", 1_250_000)
    assert "Toyota Camry" in described["result"]["description"]
    assert {run["lane"] for run in (classified, extracted, described)} == {any_lane}
    assert {run["priority"] for run in (classified, extracted, described)} == {3}
    assert after(kit, described["id"]) == []


def test_a_workflow_stops_where_there_is_nothing_more_to_do(kit: Kit, any_lane: str) -> None:
    first = kit.submit(any_lane, "describe_post", args={"text": NO_CAR})[0]
    behind = kit.submit(any_lane, "describe_post", args={"text": CAR})[0]
    follow(kit, behind, "extract_data", "generate_description")

    run = kit.ended(first)
    assert (run["state"], run["result"]["is_sale"]) == ("DONE", False)
    assert after(kit, first) == []


def test_a_step_that_fails_ends_the_workflow_and_its_retry_goes_on(kit: Kit, any_lane: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    first = kit.submit(any_lane, "need_a_file", args={"path": str(file)})[0]
    _, failed = follow(kit, first, "step_that_needs_a_file")
    behind = kit.submit(any_lane, "crash_in_the_middle", args={"path": ""})[0]
    follow(kit, behind, "armed_step", "last_step")
    assert failed["state"] == "FAILED"
    assert after(kit, failed["id"]) == []

    file.touch()
    reply = kit.http.post(f"/api/runs/{failed['id']}/retry")
    again, last = follow(kit, reply.json()["runs"][0]["id"], "last_step")
    assert (again["parent"], again["result"], last["result"]) == (failed["id"], "found", "last")


def test_copies_of_a_step_make_no_second_next_one(kit: Kit, lane: str) -> None:
    first = kit.submit(lane, "crash_in_the_middle", args={"path": ""})[0]
    python(
        kit,
        "from api.publishing import lanes\nfrom cars_bot import database, runs\n"
        f"with database.statements() as c: run = runs.find(c, {first!r})\n"
        f"assert len(lanes.publish({lane!r}, [run] * 20)) == 20\nlanes.close()",
    )
    marker = kit.submit(lane, "process_task", args={"task_num": 2, "timeout": 0})  # it waits behind all the copies
    ids = [run["id"] for run in follow(kit, first, "armed_step", "last_step")]
    kit.all_ended(marker, 30)

    counts = kit.summary(ids)
    assert (counts["done"], counts["effects"], counts["duplicated"]) == (3, 3, 0)
    assert [len(after(kit, run_id)) for run_id in ids] == [1, 1, 0]


@pytest.mark.thorough
def test_a_chain_sent_by_hand_hands_on_its_results(kit: Kit) -> None:
    printed = python(
        kit,
        "from celery import chain\nfrom celery_tasks import test_task\n"
        "sent = chain(test_task.s('a'), test_task.s()).apply_async()\n"
        "print(sent.parent.id, sent.id, sent.get(timeout=40))",
    )
    first, second, result = printed.split(" ", 2)

    assert result == "Processed: Processed: a"
    assert kit.ended(second)["parent"] == first


@pytest.mark.thorough
@pytest.mark.feature("workflow")
def test_a_worker_that_dies_between_two_steps_loses_and_doubles_none(own_kit: Kit, crash_file: Path, lane: str) -> None:
    kit, once = own_kit, crash_file
    before = once.stat().st_mtime_ns
    first = kit.submit(lane, "crash_in_the_middle", args={"path": ""})[0]
    steps = follow(kit, first, "armed_step", "last_step")

    assert once.stat().st_mtime_ns != before, "nobody died"
    assert [(run["state"], run["attempt"]) for run in steps] == [("DONE", 1)] * 3
    counts = kit.summary([run["id"] for run in steps])
    assert (counts["effects"], counts["duplicated"]) == (3, 0)
    happened = kit.http.get(f"/api/runs/{steps[-1]['id']}/events").json()["events"]
    assert "lost" not in [event["event"] for event in happened], "the workflow did not go on by itself"

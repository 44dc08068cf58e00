"""Comparisons on a real kit: both lanes, real kills, and a record that says the same as the database."""

import csv
import hashlib
import html
import json
import os
import re
import signal
import zipfile
from collections import Counter, defaultdict
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import pytest

from cars_bot.comparisons.presets import PRESETS
from tests.kit import Kit, until

SHORT = {"job": "process_task", "args": {"task_num": 1, "timeout": 0.2}}


def start(kit: Kit, **wanted: Any) -> str:
    """Start a comparison and return its id."""
    reply = kit.http.post("/api/comparisons", json=wanted)
    assert reply.status_code == 202, reply.text
    return str(reply.json()["id"])


def ended(kit: Kit, comparison: str, seconds: float = 60.0) -> dict[str, Any]:
    """Wait until a comparison has ended, and return it."""

    def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = kit.http.get(f"/api/comparisons/{comparison}").json()
        return shown if shown["state"] == "ENDED" else None

    found: dict[str, Any] = until(look, seconds, "the comparison has ended")
    return found


def record_of(kit: Kit, comparison: str) -> Path:
    return kit.run_dir / "reports" / "comparisons" / comparison


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def recount(folder: Path) -> dict[str, dict[str, float]]:
    """Count the figures of each lane again, from runs.csv alone and without any code of the kit."""
    with (folder / "runs.csv").open(encoding="utf-8") as file:
        runs = sorted(csv.DictReader(file), key=lambda run: (run["lane"], run["submission"]))
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for (lane, _), group in groupby(runs, lambda run: (run["lane"], run["submission"])):
        its, counts = list(group), found[lane]
        counts["accepted"] += 1
        counts["done"] += all(run["state"] == "DONE" for run in its)
        counts["lost"] += any(not run["finished_at"] for run in its)
        counts["retried"] += any(int(run["attempt"]) > 1 for run in its)
        counts["redelivered"] += sum(int(run["redelivered"]) for run in its)
        if all(run["state"] == "DONE" for run in its):
            took = max(float(run["finished_at"]) for run in its) - min(float(run["accepted_at"]) for run in its)
            counts["slowest"] = max(counts["slowest"], round(took, 6))
    return found


def check_recount(kit: Kit, result: dict[str, Any]) -> None:
    """Check that the card, the page and a recount of the record say the same."""
    counted = recount(record_of(kit, result["id"]))
    page = kit.http.get(f"/comparisons/{result['id']}", headers={"Accept": "text/html"}).text
    for lane, figures in result["lanes"].items():
        names = ("accepted", "done", "lost", "retried", "redelivered")
        assert {name: figures[name] for name in names} == {name: counted[lane][name] for name in names}
        assert figures["total"].get("max", 0) == counted[lane]["slowest"]
    for text, name in (("accepted", "accepted"), ("done", "done"), ("messages delivered again", "redelivered")):
        row = re.search(rf'<th scope="row">{text}</th>(.*?)</tr>', page)
        assert row is not None
        shown = re.findall(r'<td class="n">(\d+)</td>', row[1])
        assert [int(number) for number in shown[: len(counted)]] == [
            result["lanes"][lane][name] for lane in result["lanes"]
        ]
    assert html.escape(result["verdict"], quote=False) in page


def test_the_command_the_api_and_a_recount_of_the_record_say_the_same(kit: Kit) -> None:
    done = kit.command("compare", "--count", "25", "--job", "debug_task", "--json")
    said = json.loads(done.stdout)
    shown = ended(kit, said["id"])

    assert shown["result"] == said
    with (record_of(kit, said["id"]) / "runs.csv").open(encoding="utf-8") as file:
        counted = Counter((line["lane"], line["state"]) for line in csv.DictReader(file))
    assert counted == {("celery", "DONE"): 25, ("raw", "DONE"): 25}
    for figures in said["lanes"].values():
        assert (figures["accepted"], figures["done"], figures["lost"], figures["duplicated"]) == (25, 25, 0, 0)
        assert (figures["total"]["n"], "p95" in figures["total"], "p99" in figures["total"]) == (25, True, False)
    assert said["complete"]
    attempts = lines(record_of(kit, said["id"]) / "attempts.jsonl")
    assert Counter((each["lane"], each["outcome"]) for each in attempts) == {
        ("celery", "done"): 25,
        ("raw", "done"): 25,
    }


def test_twenty_posts_are_twenty_different_posts_and_each_is_published_once(kit: Kit) -> None:
    comparison = start(kit, count=20)
    result = ended(kit, comparison)["result"]

    runs = lines(record_of(kit, comparison) / "runs.jsonl")
    for lane in ("celery", "raw"):
        of_lane = [run for run in runs if run["lane"] == lane]
        read = {run["args"]["post_id"] for run in of_lane if run["job"] == "process_post"}
        (channel,) = {run["args"]["channel"] for run in of_lane if run["job"] == "publish_post"}
        assert len(read) == 20
        assert len(kit.channel(channel)) == 20
        assert (result["lanes"][lane]["done"], result["lanes"][lane]["runs"]) == (20, 40)
    check_recount(kit, result)


def test_a_fault_of_the_outside_world_meets_each_lane_as_often_as_the_others(kit: Kit) -> None:
    lost = {"at": 0.0, "what": "lose-reply", "calls": 2}
    comparison = start(kit, lanes=["celery", "raw", "inline"], count=5, conditions=[lost])
    found = ended(kit, comparison)

    assert {lane: figures["unknown"] for lane, figures in found["result"]["lanes"].items()} == {
        "celery": 2, "raw": 2, "inline": 2,
    }  # fmt: skip
    assert [mark["lane"] for mark in found["marks"]] == ["celery", "raw", "inline"]


def test_faults_that_met_no_call_are_lifted_at_the_end(kit: Kit) -> None:
    before = kit.http.get(f"{kit.outside_world}/_control/faults").json()
    unmet = [{"at": 0.0, "what": what} for what in ("rate-limit", "error", "hang", "lose-reply")]
    comparison = start(kit, jobs=[{"job": "debug_task"}], count=2, conditions=unmet)

    assert len(ended(kit, comparison)["marks"]) == 8
    assert kit.http.get(f"{kit.outside_world}/_control/faults").json() == before


def test_the_messages_of_both_lanes_are_copied_and_a_run_shows_them_beside_each_other(kit: Kit) -> None:
    args = {"data": [{"api_key": "hunter22", "text": "<script>alert(1)</script>"}]}
    jobs = [{"job": "keep_list", "args": args}, {"job": "fail_times", "args": {"times": 1}}]
    comparison = start(kit, jobs=jobs, count=4)
    result = ended(kit, comparison)["result"]
    copies = lines(record_of(kit, comparison) / "messages.jsonl")

    for lane, figures in result["lanes"].items():
        of_lane = [each for each in copies if each["lane"] == lane]
        assert figures["published_per_job"] == len(of_lane) / 4 == 1.5  # a retry is a message of its own
        assert figures["delivered_per_job"] == 1.5
        of_run = Counter(each["run"] for each in of_lane)
        assert sorted(of_run.values()) == [1, 1, 2, 2]
        retries = [each["headers"]["retries"] for each in of_lane if each["headers"].get("retries")]
        assert retries == [1, 1]
        assert all(each["body_bytes"] and each["head_bytes"] for each in of_lane)
    assert "hunter22" not in json.dumps(copies)
    run = next(each["run"] for each in copies if each["lane"] == "raw")
    page = kit.http.get(f"/runs/{run}", headers={"Accept": "text/html"}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    for name in ("headers.task", "correlation_id", "message_id", "routing_key", "content_type"):
        assert f"<code>{name}</code>" in page


@pytest.mark.thorough
def test_a_large_comparison_copies_no_messages_and_says_so(kit: Kit) -> None:
    comparison = start(kit, jobs=[{"job": "debug_task"}], count=201)
    result = ended(kit, comparison)["result"]

    assert [figures["published_per_job"] for figures in result["lanes"].values()] == [None, None]
    run = lines(record_of(kit, comparison) / "runs.jsonl")[0]["id"]
    assert "at most 200 jobs" in kit.http.get(f"/runs/{run}", headers={"Accept": "text/html"}).text


def test_the_demo_sends_the_same_posts_down_every_lane_and_none_is_lost_or_doubled(kit: Kit) -> None:
    done = kit.command("demo", "--json")
    rows = {row["lane"]: row for row in json.loads(done.stdout)}

    assert set(rows) == {"celery", "raw", "inline"}
    for row in rows.values():
        assert (row["runs"], row["done"], row["in_channel"]) == (20, 20, 20)
        assert (row["failed"], row["lost"], row["duplicated"]) == (0, 0, 0)
        assert 0 < row["p50"] <= row["p95"]
    assert "/comparisons/" in done.stderr


@pytest.mark.thorough
def test_killed_workers_have_their_jobs_done_by_others_and_the_record_shows_it(own_kit: Kit) -> None:
    faults = [{"at": 0.6, "what": "kill-worker"}]
    quick = {"job": "process_task", "args": {"task_num": 1, "timeout": 0.02}}  # it often ends before a signal comes
    comparison = start(own_kit, jobs=[quick], count=150, conditions=faults)
    found = ended(own_kit, comparison, 90)

    assert sorted(mark["lane"] for mark in found["marks"]) == ["celery", "raw"]
    assert all(mark["detail"].startswith("SIGKILL to ") for mark in found["marks"])
    attempts = lines(record_of(own_kit, comparison) / "attempts.jsonl")
    for lane, figures in found["result"]["lanes"].items():
        assert (figures["accepted"], figures["done"], figures["lost"], figures["duplicated"]) == (150, 150, 0, 0)
        assert figures["redelivered"] >= 1
        cut = [each for each in attempts if each["lane"] == lane and each["outcome"] in ("cut off", "lost")]
        assert cut, f"no attempt of {lane} was cut off"
        again = {each["run"] for each in attempts if each["lane"] == lane and each["number"] > 1}
        assert {each["run"] for each in cut} <= again
        assert [found["marks"][place]["lane"] for place, took in enumerate(figures["recovery"]) if took] == [lane]


@pytest.mark.thorough
def test_the_record_outlives_redis_and_an_api_that_starts_again_goes_on(own_kit: Kit) -> None:
    comparison = start(own_kit, jobs=[SHORT], count=16, arrivals={"per_second": 4})
    until(lambda: own_kit.http.get(f"/api/comparisons/{comparison}").json()["submitted"] >= 4, 30, "it runs")
    os.kill(own_kit.pid("api"), signal.SIGKILL)
    until(lambda: is_up(own_kit), 30, "the API is up again")
    first = ended(own_kit, comparison)["result"]

    assert all((lane["accepted"], lane["done"]) == (16, 16) for lane in first["lanes"].values())
    picture = own_kit.http.get(f"/api/comparisons/{comparison}/picture").json()
    own_kit.command("exec", "redis-cli", "-u", own_kit.status()["urls"]["redis"], "flushall")
    assert ended(own_kit, comparison)["result"] == first
    assert own_kit.http.get(f"/api/comparisons/{comparison}/picture").json() == picture


def is_up(kit: Kit) -> bool:
    """Return whether the API answers."""
    try:
        return bool(kit.http.get("/api/summary").status_code == 200)
    except httpx.TransportError:
        return False


@pytest.mark.thorough
def test_a_record_goes_to_another_machine_and_comes_back_the_same(kit: Kit, tmp_path: Path) -> None:
    said = json.loads(kit.command("compare", "--count", "5", "--job", "debug_task", "--json").stdout)
    archive = tmp_path / "comparison.zip"
    kit.command("comparisons", "export", said["id"], str(archive))
    assert kit.http.get(f"/api/comparisons/{said['id']}/archive").status_code == 200
    kit.command("comparisons", "delete", said["id"])
    assert kit.http.get(f"/api/comparisons/{said['id']}").status_code == 404
    assert not record_of(kit, said["id"]).exists()

    kit.command("comparisons", "import", str(archive))
    kit.command("comparisons", "import", str(archive))  # a second time changes nothing
    assert kit.http.get(f"/api/comparisons/{said['id']}").json()["result"] == said
    assert said["id"] in kit.command("comparisons", "list").stdout
    assert said["verdict"] in kit.command("comparisons", "show", said["id"]).stdout


@pytest.mark.thorough
def test_two_comparisons_are_one_table_in_the_terminal(kit: Kit) -> None:
    a, b = (
        json.loads(kit.command("compare", "--count", count, "--job", "debug_task", "--json").stdout)["id"]
        for count in ("5", "6")
    )
    printed = kit.command("comparisons", "show", a, "--beside", b).stdout

    assert re.search(r"^jobs on each lane +5 +6$", printed, re.MULTILINE)
    assert re.search(r"^done +5 +6 +\+1 +5 +6 +\+1$", printed, re.MULTILINE)
    said = json.loads(kit.command("comparisons", "show", a, "--beside", b, "--json").stdout)
    assert said == kit.http.get(f"/api/comparisons/{a}/beside/{b}").json()
    refused = kit.command("comparisons", "show", a, "--beside", "moon", check=False)
    assert (refused.returncode, "there is no comparison 'moon'" in refused.stderr) == (2, True)


@pytest.mark.thorough
def test_an_archive_that_was_changed_is_refused_and_leaves_nothing(kit: Kit, tmp_path: Path) -> None:
    said = json.loads(kit.command("compare", "--count", "2", "--job", "debug_task", "--json").stdout)
    archive = tmp_path / "comparison.zip"
    kit.command("comparisons", "export", said["id"], str(archive))
    kit.command("comparisons", "delete", said["id"])
    with zipfile.ZipFile(archive) as original:
        files = {name: original.read(name) for name in original.namelist()}

    def refused(changed: dict[str, bytes]) -> str:
        with zipfile.ZipFile(archive, "w") as forged:
            for name, content in changed.items():
                forged.writestr(name, content)
        done = kit.command("comparisons", "import", str(archive), check=False)
        assert done.returncode == 4, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert not record_of(kit, said["id"]).exists()
        return done.stderr

    result = f"{said['id']}/result.json"
    flattered = json.dumps(said | {"verdict": "Celery is better."}).encode()
    assert "was changed" in refused(files | {result: flattered})
    manifest = json.loads(files[f"{said['id']}/manifest.json"])
    manifest["files"]["result.json"] = hashlib.sha256(flattered).hexdigest()
    forged = {result: flattered, f"{said['id']}/manifest.json": json.dumps(manifest).encode()}
    assert "do not follow" in refused(files | forged)
    assert "no archive" in refused({f"../{name}": content for name, content in files.items()})
    archive.write_bytes(b"PK no zip")
    assert "no archive" in kit.command("comparisons", "import", str(archive), check=False).stderr


@pytest.mark.thorough
@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_ends_and_no_job_is_lost_or_done_twice(own_kit: Kit, name: str) -> None:
    said = json.loads(own_kit.command("compare", "--preset", name, "--json").stdout)

    for figures in said["lanes"].values():
        assert (figures["lost"], figures["duplicated"], figures["failed"]) == (0, 0, 0)
        assert figures["accepted"] == PRESETS[name].request["count"]
    wanted = PRESETS[name].request.get("conditions", [])
    assert {mark["condition"] for mark in said["marks"]} == set(range(len(wanted)))
    assert not [mark for mark in said["marks"] if mark["detail"].startswith("not caused")]
    check_recount(own_kit, said)


@pytest.mark.parametrize(
    "wanted",
    [{"jobs": [{"job": "nothing"}]}, {"jobs": [{"job": "process_task", "args": {"timeout": -1}}]},
     {"jobs": [SHORT], "priorities": [99]}, {"count": 0}],
)  # fmt: skip
def test_a_comparison_that_cannot_run_is_refused_at_once(kit: Kit, wanted: dict[str, Any]) -> None:
    before = len(kit.http.get("/api/comparisons").json()["comparisons"])
    reply = kit.http.post("/api/comparisons", json=wanted)

    assert reply.status_code == 422, reply.text
    assert reply.json()["message"]
    assert len(kit.http.get("/api/comparisons").json()["comparisons"]) == before

"""Limits of the services, counted at the stand-ins: 30 posts a minute for a channel, 50 calls a minute to Sheets."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.contract.conftest import PROCESSES
from tests.kit import Kit, running

WORKERS = {"celery": "celery_worker", "raw": "consumer"}
TEXT = "Продаю Kia Rio 2017 г.в., пробег 98 000 км, цена 890 000 руб. Казань, 8 917 222-33-44"
POSTS, POSTS_A_MINUTE = 36, 30
LINES, LINES_A_MINUTE = 60, 50

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def busy_kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A kit in which both lanes have analysed more posts than a channel may get in a minute."""
    folder = tmp_path_factory.mktemp("budgets")
    messages = [{"id": number, "type": "message", "text": TEXT} for number in range(1, POSTS + 1)]
    export = folder / "result.json"
    export.write_text(json.dumps({"name": "Budgets", "type": "public_channel", "id": 1, "messages": messages}))
    with running(folder / "run", *PROCESSES, "outside_world") as kit:
        for lane in WORKERS:
            kit.command("process", str(export), "--lane", lane)
        yield kit


@contextmanager
def spending(world: str) -> Iterator[dict[str, list[float]]]:
    """Watch the stand-ins.

    Yields the seconds at which each channel got its n-th post, and the log ("log") its n-th line.
    """
    moments: dict[str, list[float]] = defaultdict(list)
    over = threading.Event()
    before = lines(world)

    def watch() -> None:
        while not over.wait(0.05):
            sent = httpx.get(f"{world}/_control/telegram/messages", timeout=30).json()["chats"]
            counts = sent | {"log": lines(world) - before}
            now = time.monotonic()
            for name, count in counts.items():
                moments[name] += [now] * (count - len(moments[name]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield moments
    finally:
        over.set()
        watcher.join()


def lines(world: str) -> int:
    """Return how many lines the jobs have sent to the log in Sheets."""
    return int(httpx.get(f"{world}/_control/counters", timeout=30).json().get("google", {}).get("values:append", 0))


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_budgets_hold_at_the_services_door_whatever_the_number_of_workers(busy_kit: Kit, workers: int) -> None:
    busy_kit.command("scale", *(f"{program}={workers}" for program in WORKERS.values()))
    channels = {lane: f"@{lane}_by_{workers}" for lane in WORKERS}

    with spending(busy_kit.outside_world) as moments:
        ids = []
        for lane, channel in channels.items():
            listed = busy_kit.http.get("/api/runs", params={"job": "process_post", "lane": lane, "limit": 100}).json()
            for run in listed["runs"]:
                post = {"post_id": run["result"]["post_id"], "channel": channel}
                ids += busy_kit.submit(lane, "publish_post", args=post)
            ids += busy_kit.submit(lane, "log_to_sheets", count=LINES // 2, args={"event": "budget"})
        counts = busy_kit.all_ended(ids, 200)

    assert (counts["done"], counts["duplicated"]) == (len(ids), 0)
    for channel in channels.values():
        assert len(moments[channel]) == POSTS
        assert shortest(moments[channel], POSTS_A_MINUTE + 1) > 60
        assert moments[channel][POSTS_A_MINUTE - 1] - moments[channel][0] < 30  # a free budget is used at once
    assert len(moments["log"]) == LINES
    assert shortest(moments["log"], LINES_A_MINUTE + 1) > 60


def shortest(moments: list[float], count: int) -> float:
    """The shortest time that contains `count` of these moments."""
    return min(last - first for first, last in zip(moments, moments[count - 1 :], strict=False))

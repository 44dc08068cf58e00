"""Live updates of the page: changes in its view, once a second, and nothing twice; with and without Redis."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any

import httpx
import pytest
import redis

from api.live import stream
from cars_bot.ledger import STREAM
from tests.api.server import Server
from tests.kit import NO_TLS, until


class Listener:
    """A page without a browser. It collects the messages that the server sends."""

    def __init__(self, reply: httpx.Response) -> None:
        self.heard: Queue[tuple[str, str, Any]] = Queue()
        self.reply = reply
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        message: dict[str, str] = {}
        try:
            for line in self.reply.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    message[name] = value
                elif "event" in message:
                    self.heard.put((message["event"], message.get("id", ""), json.loads(message["data"])))
                    message = {}
        except httpx.HTTPError:
            return

    def next(self, event: str, seconds: float = 8.0) -> tuple[str, Any]:
        """Wait for the next message of that kind; return its id and data."""
        deadline = time.monotonic() + seconds
        while True:
            kind, id, data = self.heard.get(timeout=max(deadline - time.monotonic(), 0.01))
            if kind == event:
                return id, data

    def row(self, run_id: str, state: str) -> dict[str, Any]:
        """Wait until the server has sent the page the run in `state`; return that row."""
        while True:
            for row in self.next("rows")[1]["rows"]:
                if (row["id"], row["state"]) == (run_id, state):
                    return dict(row)


@contextmanager
def listening(server: Server, last_id: str = "", **query: str) -> Iterator[Listener]:
    """Open /api/live on its own connection."""
    with (
        httpx.Client(base_url=server.url, trust_env=False, timeout=20, verify=NO_TLS) as client,
        client.stream("GET", "/api/live", params=query, headers={"Last-Event-ID": last_id}) as reply,
    ):
        assert reply.headers["content-type"].startswith("text/event-stream")
        yield Listener(reply)


def test_a_page_sees_a_run_go_its_way(server: Server) -> None:
    with listening(server) as page:
        page.next("rows")
        (run_id,) = server.submit("raw", "process_task", args={"task_num": 4, "timeout": 2})
        assert page.row(run_id, "PENDING")["call"] == "4, 2.0"
        server.begin(run_id)
        assert page.row(run_id, "IN_PROGRESS")["worker"] == "worker-1"
        server.end(run_id)
        assert page.row(run_id, "DONE")["finished_at"]


def test_a_page_is_first_sent_all_it_shows_and_then_only_what_changed(server: Server) -> None:
    ids = server.submit(count=3)
    with listening(server) as page:
        _, first = page.next("rows")
        assert first["ids"][:3] == ids[::-1]
        assert len(first["rows"]) == len(first["ids"])

        server.begin(ids[0])
        page.row(ids[0], "IN_PROGRESS")
        server.end(ids[0])
        _, then = page.next("rows")
        assert [row["id"] for row in then["rows"]] == [ids[0]]


def test_a_filtered_page_is_sent_what_matches_and_loses_what_no_longer_does(server: Server) -> None:
    (run_id,) = server.submit("celery")
    with listening(server, lane="celery", state="PENDING") as page:
        assert run_id in page.next("rows")[1]["ids"]
        server.submit("raw")
        server.begin(run_id)
        _, told = page.next("rows")
        assert run_id not in told["ids"]
        assert told["rows"] == []


def test_one_run_can_be_followed(server: Server) -> None:
    mine, other = server.submit(count=2)
    with listening(server, run=mine) as page:
        assert page.next("rows")[1]["ids"] == [mine]
        server.begin(other)
        server.begin(mine)
        assert [row["id"] for row in page.next("rows")[1]["rows"]] == [mine]


@pytest.mark.thorough
def test_a_page_that_comes_back_is_sent_nothing_it_has(own_server: Server) -> None:  # no other test's runs move here
    own_server.submit("celery")
    with listening(own_server, lane="celery") as stayed:
        stayed.next("rows")
        with listening(own_server, lane="celery") as page:
            last_id, _ = page.next("rows")
        with listening(own_server, last_id, lane="celery") as again:
            kinds = [again.heard.get(timeout=5)[0] for _ in range(3)]
            assert "rows" not in kinds
            (run_id,) = own_server.submit("celery")
            assert [row["id"] for row in again.next("rows")[1]["rows"]] == [run_id]


def test_a_page_that_comes_back_from_another_life_is_sent_everything(server: Server) -> None:
    server.submit("celery")
    with listening(server, "1.2.3", lane="celery") as page:
        assert page.next("rows")[1]["rows"]


def test_ticks_count_runs_and_their_speed(server: Server) -> None:
    with listening(server) as page:
        _, first = page.next("tick")
        server.submit("inline", count=20)
        until(lambda: page.next("tick")[1]["rate"]["inline"] > 0, 6, "the chart moves")
        _, tick = page.next("tick")
    assert tick["totals"]["inline"]["DONE"] >= first["totals"]["inline"]["DONE"] + 20
    assert tick["depth"] == {"celery": None, "raw": None, "inline": 0}, "no broker answers here"


def test_a_page_that_opens_later_is_sent_the_last_minutes(server: Server) -> None:
    with listening(server) as page:
        page.next("tick")
        page.next("tick")
    with listening(server) as later:
        assert len(later.next("history")[1]["ticks"]) >= 2


@pytest.mark.thorough
def test_without_redis_the_page_moves_all_the_same(without_redis: Server) -> None:
    with listening(without_redis) as page:
        (run_id,) = without_redis.submit()
        page.row(run_id, "PENDING")
        without_redis.begin(run_id)
        page.row(run_id, "IN_PROGRESS")
        without_redis.end(run_id)
        page.row(run_id, "DONE")


def test_wrong_filters_are_refused(server: Server) -> None:
    for query in ("lane=x", "state=x", "job=x", "before=%00"):
        assert server.http.get(f"/api/live?{query}").status_code == 422


@pytest.mark.thorough
def test_it_stops_within_seconds_with_a_page_open(own_server: Server) -> None:
    with listening(own_server) as page:
        page.next("tick")
        assert own_server.stop() < 6


def test_an_idle_page_hears_only_ticks(server: Server) -> None:
    with listening(server, lane="celery", state="EXPIRED") as page:
        page.next("rows")
        heard = []
        deadline = time.monotonic() + 2.5
        while (left := deadline - time.monotonic()) > 0:
            try:
                heard.append(page.heard.get(timeout=left)[0])
            except Empty:
                break
        assert set(heard) == {"tick"}


def test_a_page_that_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SEND_SECONDS", 0.05)

    async def news() -> AsyncIterator[bytes]:
        while True:
            yield b"data: {}\n\n"

    async def stuck(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def stays() -> Any:
        await asyncio.Event().wait()

    async def serve() -> None:
        async with asyncio.timeout(5):
            await stream.EventStream(news())({"type": "http"}, stays, stuck)

    asyncio.run(serve())


# ---------------------------------------------------------------- the projector


def tell(url: str, lines: list[tuple[str, str]]) -> None:
    """Write lines into the ledger, as workers do."""
    client = redis.Redis.from_url(url)
    pipe = client.pipeline(transaction=False)
    for kind, run in lines:
        pipe.xadd(STREAM, {"at": f"{time.time():.6f}", "event": kind, "run": run, "lane": "raw", "worker": "w-7",
                           "attempt": 1, "detail": ""})  # fmt: skip
    pipe.execute()
    client.close()


def test_a_line_in_the_ledger_wakes_the_page_and_changes_no_run(server: Server, redis_url: str) -> None:
    (run_id,) = server.submit()
    with listening(server, run=run_id) as page:
        page.row(run_id, "PENDING")
        server.begin(run_id)
        assert page.row(run_id, "IN_PROGRESS")["worker"] == "worker-1"
        tell(redis_url, [("started", run_id), ("succeeded", run_id)])
        server.end(run_id, "RETRYING", error="not yet", after=60.0)
        page.row(run_id, "RETRYING")
        tell(redis_url, [("started", run_id)])  # a late line of its first attempt
        (marker,) = server.submit()
        until(lambda: server.run(marker)["state"] == "PENDING", 5, "the line before it has been read")

    run = server.run(run_id)
    assert (run["state"], run["attempt"], run["worker"]) == ("RETRYING", 1, "worker-1")


def test_rubbish_in_the_ledger_does_not_stop_the_page(own_server: Server) -> None:
    (run_id,) = own_server.submit()
    client = redis.Redis.from_url(own_server.environment["REDIS_URL"])
    client.xadd(STREAM, {"what": "is this"})
    client.close()
    until(lambda: "skipping" in own_server.log(), 5, "the projector has met the rubbish")

    with listening(own_server, run=run_id) as page:
        page.next("rows")
        own_server.begin(run_id)
        assert page.row(run_id, "IN_PROGRESS")["worker"] == "worker-1"

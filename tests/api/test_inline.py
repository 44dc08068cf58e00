"""Inline runs and their process. A run that a dead API left behind is ended; a run of a live API is left alone."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.api.server import Server
from tests.kit import until

SLOW = {"job": "process_task", "lane": "inline", "args": {"task_num": 1, "timeout": 3.0}}


def second(first: Server, folder: Path) -> Server:
    """Another API on the same database. It is not started yet."""
    return Server(folder, first.environment["REDIS_URL"], DATABASE_URL=f"sqlite:///{first.database}")


def inline(server: Server, state: str) -> list[dict[str, str]]:
    answer = server.http.get("/api/runs", params={"lane": "inline", "state": state}).json()
    runs: list[dict[str, str]] = answer["runs"]
    return runs


@pytest.mark.thorough
def test_a_second_api_leaves_alone_what_the_first_executes(own_server: Server, tmp_path: Path) -> None:
    other = second(own_server, tmp_path)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(own_server.http.post, "/api/runs", json=SLOW)
        until(lambda: inline(own_server, "IN_PROGRESS"), 10, "it is at work")
        other.start()
        try:
            assert answer.result().json()["runs"][0]["state"] == "DONE"
        finally:
            other.stop()
            other.http.close()


@pytest.mark.parametrize(
    "alone", [pytest.param(True, marks=pytest.mark.thorough), False], ids=["the only API", "one of two"]
)
def test_what_an_api_that_was_killed_had_in_hand_ends_in_words(own_server: Server, tmp_path: Path, alone: bool) -> None:
    other = second(own_server, tmp_path)
    if not alone:
        other.start()
    try:
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(own_server.http.post, "/api/runs", json=SLOW)
            (run,) = until(lambda: inline(own_server, "IN_PROGRESS"), 10, "it is at work")
            own_server.stop(signal.SIGKILL)
            assert answer.exception() is not None
        if alone:
            own_server.start()
        asked = own_server if alone else other
        until(lambda: asked.run(run["id"])["state"] == "FAILED", 15, "it ends")
        assert "the API stopped while the run was open" in asked.run(run["id"])["error"]
    finally:
        if not alone:
            other.stop()
        other.http.close()

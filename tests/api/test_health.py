"""Readiness: the API is ready only if it would accept a run. An answer alone is not enough."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from tests.api.server import Server

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@contextmanager
def disk_full_for(pid: int) -> Iterator[None]:
    """Let no file of this process grow beyond its first page. For the process this is the same as a full disk."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, UNLIMITED)


def test_an_api_whose_disk_is_full_is_not_ready_and_is_again_when_there_is_room(own_server: Server) -> None:
    assert own_server.process is not None
    assert own_server.http.get("/readyz").status_code == 200
    with disk_full_for(own_server.process.pid):
        submitted = own_server.http.post("/api/runs", json={"lane": "raw", "job": "debug_task"})
        ready = own_server.http.get("/readyz")
        assert (submitted.status_code, ready.status_code) == (503, 503)
        assert ready.json()["ready"] is False
        assert own_server.http.get("/healthz").status_code == 200

    assert own_server.http.get("/readyz").status_code == 200


def test_asking_leaves_nothing_behind(own_server: Server) -> None:
    for _ in range(5):
        assert own_server.http.get("/readyz").status_code == 200
    assert own_server.counts() == 0

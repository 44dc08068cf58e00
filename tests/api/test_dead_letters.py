"""Dead letters where there can be none, because the broker is away or is Redis; and requests that make no sense."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.server import Server, serving


def test_a_broker_that_is_away_is_said_and_not_an_empty_list(server: Server) -> None:
    found = server.http.get("/api/dead-letters").json()

    assert (found["letters"], found["totals"]) == ([], {"celery": None, "raw": None})
    assert "does not answer" in found["notes"]["raw"]
    for action in ("replay", "discard"):
        reply = server.http.post(f"/api/dead-letters/{action}", json={"lane": "raw", "all": True})
        assert (reply.status_code, reply.json()["error"]) == (503, "broker_unavailable")
    html = server.http.get("/dead-letters", headers={"Accept": "text/html"}).text
    assert "does not answer" in html
    assert "not known" in html


@pytest.mark.thorough
def test_celery_over_redis_has_none_and_says_what_to_do_instead(tmp_path: Path, redis_url: str) -> None:
    with serving(tmp_path, redis_url, CELERY_BROKER_URL=redis_url) as server:
        found = server.http.get("/api/dead-letters", params={"lane": "celery"}).json()
        reply = server.http.post("/api/dead-letters/replay", json={"lane": "celery", "all": True})

    assert found["totals"] == {"celery": None}
    assert "/retry" in found["notes"]["celery"]
    assert (reply.status_code, reply.json()["error"]) == (409, "no_dead_letters")


@pytest.mark.parametrize(
    "body",
    [{"lane": "raw"}, {"lane": "raw", "runs": []}, {"lane": "raw", "runs": ["x"], "all": True},
     {"lane": "inline", "all": True}, {"all": True}, {"lane": "raw", "all": True, "force": True}],
    ids=str,
)  # fmt: skip
def test_nothing_is_thrown_away_by_a_request_that_does_not_say_what(server: Server, body: dict[str, Any]) -> None:
    assert server.http.post("/api/dead-letters/discard", json=body).status_code == 422

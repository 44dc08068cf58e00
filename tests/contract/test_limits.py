"""The rate limit over all workers together, by a window in a real Redis."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cars_bot import ledger, rate_limit
from cars_bot.errors import Throttled
from cars_bot.settings import settings
from tests.kit import Kit


@pytest.fixture
def redis_of_the_kit(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("REDIS_URL", kit.status()["urls"]["redis"])
    settings.cache_clear()
    rate_limit._script.cache_clear()
    yield
    settings.cache_clear()
    rate_limit._script.cache_clear()


def allowed(name: str, member: str) -> bool:
    try:
        rate_limit.acquire(name, limit=5, window=1.0, member=member)
    except Throttled:
        return False
    return True


@pytest.mark.usefixtures("redis_of_the_kit")
def test_however_many_ask_at_once_the_window_holds() -> None:
    name = f"test {time.time_ns()}"
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: allowed(name, str(n)), range(100)))

    assert sum(answers) == 5


@pytest.mark.usefixtures("redis_of_the_kit")
def test_the_window_slides_and_says_how_long_to_wait() -> None:
    name = f"test {time.time_ns()}"
    asked, granted = list[float](), list[float]()
    while len(granted) < 11:
        began = time.monotonic()
        try:
            rate_limit.acquire(name, limit=5, window=1.0, member=str(len(granted)))
            asked.append(began)
            granted.append(time.monotonic())
        except Throttled as told:
            assert 0 < told.retry_after <= 1.1
            time.sleep(told.retry_after)

    # Any six calls in a row span more than the window. Redis granted each between the question and its answer.
    assert min(later - earlier for earlier, later in zip(asked, granted[5:], strict=False)) >= 0.95


@pytest.mark.usefixtures("redis_of_the_kit")
def test_another_name_has_a_window_of_its_own() -> None:
    first, second = f"a {time.time_ns()}", f"b {time.time_ns()}"

    assert [allowed(first, str(n)) for n in range(6)] == [True] * 5 + [False]
    assert allowed(second, "1")


def test_without_redis_nobody_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    rate_limit._script.cache_clear()
    try:
        with pytest.raises(Throttled) as told:
            rate_limit.acquire("any", limit=5, window=1.0, member="1")
        assert told.value.retry_after == rate_limit.WAIT_WITHOUT_REDIS
        assert not ledger.answers()
    finally:
        settings.cache_clear()
        rate_limit._script.cache_clear()


def test_the_fifty_first_call_in_a_minute_waits_whichever_lane_it_comes_from(kit: Kit) -> None:
    """Fifty calls in a minute for one spreadsheet, whichever lane makes them."""
    ids = [
        run_id
        for lane in ("celery", "raw")
        for run_id in kit.submit(lane, "log_to_sheets", count=30, args={"event": "limit"})
    ]

    def settled() -> bool:
        counts = kit.summary(ids)
        return counts["done"] + counts["retrying"] == 60

    deadline = time.monotonic() + 40
    while not settled() and time.monotonic() < deadline:
        time.sleep(0.1)
    counts = kit.summary(ids)
    assert counts["done"] <= 50
    assert counts["retrying"] >= 10
    assert counts["failed"] == 0

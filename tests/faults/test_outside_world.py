"""Faults 26 and 27: services that fail, throttle, hang, drip, flood us, or act and lose the reply."""

import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.faults.conftest import DEADLINE
from tests.faults.trial import Trial
from tests.kit import until

STORM = pytest.mark.fault(26, "every job fails: a retry storm")
MISBEHAVES = pytest.mark.fault(27, "an external API hangs, drips, fails, floods, or acts and loses its reply")

WORKERS = {"celery": "celery_worker-1", "raw": "consumer-1"}
TEXT = {"text": "Продам Toyota Camry 2015, 1 250 000 руб, Москва"}


@pytest.fixture
def world(trial: Trial) -> Iterator[httpx.Client]:
    """The outside world's switchboard. It is cleared afterwards."""
    with trial.world() as client:
        yield client
        client.delete("/_control/faults").raise_for_status()


def order(world: httpx.Client, **fault: object) -> None:
    """Let the outside world misbehave."""
    world.post("/_control/faults", json=fault).raise_for_status()


def processor_seconds(trial: Trial) -> float:
    """Return the CPU seconds that the workers have used so far."""
    parents = [psutil.Process(trial.kit.pid(WORKERS[lane])) for lane in trial.lanes]
    family = [each for parent in parents for each in (parent, *parent.children(recursive=True))]
    return float(sum(sum(each.cpu_times()[:2]) for each in family))


def failures(world: httpx.Client) -> int:
    """Return how many requests to the language model have failed so far."""
    return int(world.get("/_control/counters").json()["openai"].get("fault:error", 0))


def throttled(world: httpx.Client) -> int:
    """Return how many requests to the language model have been throttled so far."""
    return int(world.get("/_control/counters").json().get("openai", {}).get("fault:throttle", 0))


@STORM
def test_when_everything_fails_retries_are_spaced_out_and_end_well_when_it_is_over(
    trial: Trial, world: httpx.Client
) -> None:
    trial.submit("classify_post", args=TEXT)
    trial.reach("DONE", 2)
    met_before = failures(world)
    order(world, service="openai", fault="error", share=1.0)
    trial.submit("classify_post", count=15, args=TEXT)
    until(lambda: "PENDING" not in trial.states(), 30, "each has failed once")
    before, began = processor_seconds(trial), time.monotonic()
    time.sleep(4)  # long enough to measure the cost of waiting
    used = (processor_seconds(trial) - before) / (time.monotonic() - began)
    requests = failures(world) - met_before
    world.delete("/_control/faults").raise_for_status()
    trial.healed()

    trial.survives(within=90, effect_each=False)
    assert used < 1.0, f"the workers used {used:.1f} processors to wait"
    assert requests < 30 * 5, "they hammered at it"


@STORM
@pytest.mark.parametrize("retry_after", [0, 1])
def test_being_told_to_wait_costs_no_attempt_and_no_processor_however_long_it_goes_on(
    trial: Trial, world: httpx.Client, retry_after: int
) -> None:
    before = throttled(world)
    order(world, service="openai", fault="throttle", share=1.0, retry_after=retry_after)
    ids = trial.submit("classify_post", count=10, args=TEXT)
    until(lambda: "PENDING" not in trial.states(), 30, "each has been told to wait")
    time.sleep(8)  # as long as the fault lasts
    asked = throttled(world) - before
    world.delete("/_control/faults").raise_for_status()
    trial.healed()

    for verdict in trial.survives(within=60, effect_each=False).values():
        assert verdict.done == 10
    assert {trial.kit.run(run_id)["attempt"] for run_id in ids} == {1}
    assert asked < 10 * len(ids), "they hammered at it"
    seen = {event.event for event in trial.events(set(ids), 0.0) or ()}
    assert "lost" not in seen


@MISBEHAVES
@pytest.mark.parametrize("fault", ["hang", "drip", "error", "garbage", "cut", "huge"])
def test_an_answer_that_does_not_come_in_time_or_shape_is_asked_for_again(
    trial: Trial, world: httpx.Client, fault: str
) -> None:
    order(world, service="openai", fault=fault, next=6)
    slow = trial.submit("classify_post", count=2, args=TEXT)
    trial.submit("classify_post", count=4, args=TEXT)

    until(lambda: set(trial.states(slow)) == {"DONE"}, 60, "they are done")
    trial.healed()
    for verdict in trial.survives(within=60, effect_each=False).values():
        assert verdict.done == 6
    for run_id in slow:
        events = trial.http.get(f"/api/runs/{run_id}/events").json()["events"]
        starts = [event["at"] for event in events if event["event"] == "started"]
        ends = [event["at"] for event in events if event["event"] in ("retry", "succeeded")]
        took = [end - start for start, end in zip(starts, ends, strict=True)]
        assert max(took) < DEADLINE + 3, "a call was let go on beyond its deadline"


@MISBEHAVES
@pytest.mark.quick
def test_a_message_whose_reply_was_lost_is_reported_unknown_and_not_sent_twice(
    trial: Trial, world: httpx.Client, lane: str
) -> None:
    chat = f"@lost_reply_{lane}"
    order(world, service="telegram", fault="lose_reply", next=1, only="sendMessage")
    trial.submit("announce", args={"chat": chat, "text": "lost"})
    trial.reach("FAILED")
    for number in range(5):
        trial.submit("announce", args={"chat": chat, "text": f"neighbour {number}"})
    trial.reach("DONE", 5)
    trial.healed()

    outside = [message["text"] for message in trial.kit.channel(chat)]
    assert trial.survives(within=30, unknown=1, outside=outside)[lane].unknown == 1
    assert sorted(outside) == ["lost", *(f"neighbour {number}" for number in range(5))]

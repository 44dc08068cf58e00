"""Faults 1 to 8: a process that kills itself at exactly the worst moment, and the same request or message once more."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.trial import Trial
from tests.kit import until

BEFORE_COMMIT = pytest.mark.fault(1, "the API dies before commit")
AFTER_COMMIT = pytest.mark.fault(2, "the API dies after commit, before 202")
AFTER_CONFIRM = pytest.mark.fault(3, "the relay dies after confirm, before mark")
ON_RECEIPT = pytest.mark.fault(4, "a worker dies on receipt")
MID_EFFECT = pytest.mark.fault(5, "a worker dies in the middle of an effect")
AFTER_EFFECT = pytest.mark.fault(6, "a worker dies after the effect, before the outcome")
AFTER_OUTCOME = pytest.mark.fault(7, "a worker dies after the outcome, before the ack")
AFTER_RETRY = pytest.mark.fault(8, "a raw worker dies between a retry's confirm and the ack", lane="raw")

Arm = Callable[[str], None]


@pytest.fixture
def arm(crash_files: Path) -> Iterator[Arm]:
    """A function that arms a place: the next process that gets there dies. The test fails if none died."""
    armed = []

    def now(name: str) -> None:
        armed.append(crash_files / name)
        armed[-1].unlink()

    yield now
    for path in armed:
        died = path.exists()
        path.touch()
        assert died, f"nobody came to {path.name}"


def answers(trial: Trial) -> bool:
    """Return whether the API answers again."""
    try:
        return trial.http.get("/readyz").status_code == 200
    except Exception:
        return False


@BEFORE_COMMIT
@pytest.mark.quick
def test_an_api_that_dies_before_commit_has_accepted_nothing_and_the_retry_is_safe(
    trial: Trial, arm: Arm, lane: str
) -> None:
    trial.submit(count=5)
    key = str(uuid.uuid4())
    arm("before-accept")

    assert trial.try_to_submit(lane, key=key) is None
    until(lambda: answers(trial), 20, "the API is back")
    assert trial.stored_under([key]) == {key: []}
    trial.healed()
    assert trial.try_to_submit(lane, key=key)
    assert trial.survives(within=30)[lane].accepted == 6


@AFTER_COMMIT
def test_an_api_that_dies_before_its_answer_gives_it_to_the_same_request_once_more(
    trial: Trial, arm: Arm, lane: str
) -> None:
    trial.submit(count=5)
    key = str(uuid.uuid4())
    arm("after-accept")

    assert trial.try_to_submit(lane, count=3, key=key) is None
    until(lambda: answers(trial), 20, "the API is back")
    (accepted,) = trial.stored_under([key]).values()
    assert len(accepted) == 3
    trial.healed()
    assert trial.try_to_submit(lane, count=3, key=key) == accepted
    assert trial.survives(within=30)[lane].accepted == 8


@AFTER_COMMIT
def test_a_client_that_never_asks_again_has_its_runs_done_all_the_same(trial: Trial, arm: Arm, lane: str) -> None:
    arm("after-accept")

    assert trial.try_to_submit(lane, count=3) is None
    until(lambda: answers(trial), 20, "the API is back")
    trial.healed()
    assert trial.survives(within=30)[lane].done == 3


@AFTER_CONFIRM
def test_a_relay_that_dies_between_confirm_and_mark_publishes_copies_and_no_effect_doubles(
    trial: Trial, arm: Arm, lane: str
) -> None:
    arm("after-confirm")
    trial.try_to_submit(lane, count=20)
    until(lambda: not answers(trial), 10, "the API has died")
    until(lambda: answers(trial), 20, "the API is back")
    trial.healed()

    trial.survives(within=40)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("on-receipt", marks=[ON_RECEIPT, pytest.mark.quick]),
        pytest.param("before-outcome", marks=AFTER_EFFECT),
        pytest.param("after-outcome", marks=AFTER_OUTCOME),
    ],
)
def test_a_child_that_dies_on_the_way_of_a_job_loses_and_doubles_nothing(
    trial: Trial, arm: Arm, lane: str, place: str
) -> None:
    arm(place)
    trial.submit(count=10)
    trial.healed()

    assert trial.survives(within=60)[lane].done == 10


@MID_EFFECT
def test_a_post_half_analysed_is_analysed_again(trial: Trial, arm: Arm, lane: str) -> None:
    text = "Продам Toyota Camry 2015, 1 250 000 руб, Москва"
    export = {"name": f"crash {lane}", "messages": [{"id": 1, "type": "message", "text": text}]}
    (post,) = trial.http.post("/api/posts", json=export).raise_for_status().json()["posts"]
    arm("mid-effect")
    trial.submit("process_post", args={"post_id": post["post_id"]})
    trial.healed()

    assert trial.survives(within=60)[lane].done == 1


@pytest.mark.parametrize(
    ("place", "posted"),
    [pytest.param("mid-effect", 0, marks=MID_EFFECT), pytest.param("after-effect", 1, marks=AFTER_EFFECT)],
)
def test_a_message_that_was_claimed_and_never_reported_ends_unknown_and_is_not_sent_twice(
    trial: Trial, arm: Arm, lane: str, place: str, posted: int
) -> None:
    chat = f"@{place.replace('-', '_')}_{lane}"
    arm(place)
    trial.submit("announce", args={"chat": chat, "text": "once"})
    for number in range(5):
        trial.submit("announce", args={"chat": chat, "text": f"neighbour {number}"})
    trial.healed()

    until(lambda: set(trial.states()) <= {"DONE", "FAILED"}, 60, "all have ended")
    outside = [message["text"] for message in trial.kit.channel(chat)]
    assert trial.survives(within=60, unknown=1, outside=outside)[lane].unknown == 1
    assert len(outside) == 5 + posted


@AFTER_RETRY
def test_a_child_that_dies_between_publishing_a_retry_and_acknowledging_makes_a_copy_not_a_loss(
    trial: Trial, arm: Arm
) -> None:
    arm("after-retry-publish")
    trial.submit("wait_then_work", count=5, args={"seconds": 0.2})
    trial.healed()

    assert trial.survives(within=60)["raw"].done == 5

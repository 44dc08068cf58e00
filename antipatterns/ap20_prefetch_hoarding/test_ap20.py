"""What a worker has prefetched, no other can do."""

from antipatterns.experiment import by_hand, on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(20)
BY_HAND = by_hand(20)


def test_broken_lets_an_idle_worker_wait_while_a_busy_one_holds_three_posts(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.counts == {
        "sent": 4,
        "held by the busy worker": 3,
        "done by the idle worker": 0,
        "done in the end": 4,
    }
    assert result.failed


def test_fixed_leaves_them_in_the_queue_for_whoever_is_idle(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.counts == {
        "sent": 4,
        "held by the busy worker": 0,
        "done by the idle worker": 3,
        "done in the end": 4,
    }
    assert not result.failed


def test_by_hand_broken_is_handed_the_whole_queue(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "broken")

    assert result.counts == {"sent": 100, "held by the busy consumer": 99, "done by the idle consumer": 0}
    assert result.failed


def test_by_hand_fixed_leaves_the_rest_for_whoever_is_idle(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "fixed")

    assert result.counts == {"sent": 100, "held by the busy consumer": 0, "done by the idle consumer": 99}
    assert not result.failed

"""No other worker can do a message that a worker has prefetched."""

from antipatterns.experiment import by_hand, on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(20)
BY_HAND = by_hand(20)


def test_broken_lets_an_idle_worker_wait_while_a_busy_one_holds_three_posts(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed


def test_fixed_leaves_them_in_the_queue_for_whoever_is_idle(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed


def test_by_hand_broken_is_handed_the_whole_queue(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed


def test_by_hand_fixed_leaves_the_rest_for_whoever_is_idle(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

"""A worker killed after the effect and before the acknowledgement makes a task run again."""

from antipatterns.experiment import by_hand, on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(3)
BY_HAND = by_hand(3)


def test_broken_charges_twice_what_was_sent_once(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed
    first, second = [note for note in result.notes if note.what == "charged"]
    (kill,) = [note for note in result.notes if note.what == "SIGKILL"]
    assert first.at < kill.at < second.at  # the first charge was made before its worker died
    assert first.pid != second.pid


def test_fixed_starts_twice_and_charges_once(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed


def test_by_hand_broken_loses_the_post_of_a_consumer_that_is_killed(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed


def test_by_hand_fixed_hands_it_to_the_next_consumer(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

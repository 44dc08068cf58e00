"""A request without a timeout can take a worker away for good."""

from antipatterns.experiment import by_hand, on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(7)
BY_HAND = by_hand(7)


def test_broken_does_none_of_the_five_behind_a_request_that_hangs(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed


def test_fixed_gives_up_on_it_and_does_the_five(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed
    (error,) = [note.facts["error"] for note in result.notes if note.what == "failed"]
    assert "ReadTimeout" in error


def test_by_hand_broken_does_a_long_job_twice_because_the_broker_took_it_for_dead(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed
    assert {note.what for note in result.notes} >= {"holds"} and "SIGKILL" not in {
        note.what for note in result.notes
    }  # nobody died


def test_by_hand_fixed_does_it_once(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

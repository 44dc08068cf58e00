"""Each Beat ticks for itself."""

from antipatterns.experiment import by_hand, on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(9)
BY_HAND = by_hand(9)


def test_broken_ticks_about_twice_as_often_as_is_due(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed
    beats = {note.pid for note in result.notes if note.what == "published"}
    assert len(beats) == 2


def test_fixed_ticks_as_often_as_is_due_and_goes_on_when_one_dies(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed


def test_by_hand_broken_ticks_twice_as_often_as_is_due(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed


def test_by_hand_fixed_ticks_as_often_as_is_due_and_goes_on_when_one_dies(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

"""Each Beat ticks for itself."""

from antipatterns.experiment import by_hand, on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(9)
BY_HAND = by_hand(9)


def test_broken_ticks_about_twice_as_often_as_is_due(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.counts["ticks due"] == 8
    assert 14 <= result.counts["ticks that came"] <= 17  # the two are not in step
    assert result.failed
    beats = {note.pid for note in result.notes if note.what == "published"}
    assert len(beats) == 2


def test_fixed_ticks_as_often_as_is_due_and_goes_on_when_one_dies(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.counts == {"Beats": 2, "ticks due": 8, "ticks that came": 8, "went on with one dead": 1}
    assert not result.failed


def test_by_hand_broken_ticks_twice_as_often_as_is_due(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "broken")

    assert result.counts["ticks due"] == 8
    assert 14 <= result.counts["ticks that came"] <= 17
    assert result.failed


def test_by_hand_fixed_ticks_as_often_as_is_due_and_goes_on_when_one_dies(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "fixed")

    assert result.counts == {"schedulers": 2, "ticks due": 8, "ticks that came": 8, "went on with one dead": 1}
    assert not result.failed

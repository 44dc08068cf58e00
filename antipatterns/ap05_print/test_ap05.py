"""Printed lines have neither level nor task."""

from antipatterns.experiment import by_hand, on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(5)
BY_HAND = by_hand(5)


def test_broken_makes_six_lines_that_nobody_can_place_of_two_messages(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed


def test_fixed_names_the_task_in_each_line_and_shows_errors_as_such(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed


def test_by_hand_broken_leaves_no_line_of_fifty_when_it_is_killed(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed


def test_by_hand_fixed_leaves_all_fifty(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

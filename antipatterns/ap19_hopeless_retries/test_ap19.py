"""A retry cannot change an answer that is final."""

from antipatterns.experiment import by_hand, on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(19)
BY_HAND = by_hand(19)


def test_broken_tries_six_times_what_can_never_succeed(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed
    assert all("too long" in note.facts["error"] for note in result.notes if note.what == "failed")


def test_fixed_takes_no_for_an_answer_and_still_retries_what_may_pass(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed


def test_by_hand_broken_hands_out_the_same_post_for_ever_and_nothing_gets_past_it(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed


def test_by_hand_fixed_puts_it_aside_and_publishes_the_next(servers: Ground) -> None:
    result = BY_HAND.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

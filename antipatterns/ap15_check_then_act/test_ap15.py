"""A fact that is true at the check may be false at the act."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(15)


def test_broken_publishes_a_post_twice_that_both_copies_had_checked(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed


def test_fixed_lets_one_copy_pass(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

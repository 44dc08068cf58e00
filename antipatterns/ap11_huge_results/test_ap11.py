"""A result is kept whole, for a day, in memory."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(11)


def test_broken_fills_redis_with_thirty_megabytes(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed


def test_fixed_leaves_less_than_a_kilobyte_each(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

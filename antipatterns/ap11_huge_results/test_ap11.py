"""A result is kept whole, for a day, in memory."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(11)


def test_broken_fills_redis_with_thirty_megabytes(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert 30_000_000 < result.counts["bytes in Redis"] < 60_000_000
    assert result.counts["hours they stay"] == 24
    assert result.failed


def test_fixed_leaves_less_than_a_kilobyte_each(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.counts["bytes in Redis"] < 3 * 1_000
    assert result.counts["hours they stay"] == 24
    assert not result.failed

"""On RabbitMQ nine is the highest priority, in Celery over Redis the lowest."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(14)


def test_broken_does_the_urgent_post_last(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.counts == {"waiting": 6, "the urgent one came as number": 6}
    assert result.failed


def test_fixed_does_it_first(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.counts == {"waiting": 6, "the urgent one came as number": 1}
    assert not result.failed

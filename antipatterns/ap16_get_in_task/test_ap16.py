"""A worker that waits for a task cannot do it."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(16)


def test_broken_waits_for_a_sub_task_that_nobody_is_left_to_start(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.counts == {"sent": 1, "sub-tasks sent": 1, "sub-tasks started": 0, "described": 0}
    assert result.failed


def test_fixed_describes_the_post_with_the_same_single_worker(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.counts == {"sent": 1, "sub-tasks sent": 2, "sub-tasks started": 2, "described": 1}
    assert not result.failed

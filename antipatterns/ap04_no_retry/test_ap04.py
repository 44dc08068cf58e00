"""An error that would have passed ends a task that does not retry."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(4)


def test_broken_loses_five_posts_to_a_bad_moment(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed
    errors = [note.facts["error"] for note in result.notes if note.what == "failed"]
    assert all("500" in error for error in errors)  # the messenger said so, not the task


def test_fixed_publishes_all_five_after_ten_errors(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

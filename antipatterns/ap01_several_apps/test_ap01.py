"""Messages go to the queue that the sender's app names; a worker reads the queue that its own app names."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(1)


def test_broken_sends_six_posts_to_a_queue_that_no_worker_reads(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed
    assert [note.what for note in result.notes if note.what in ("unknown", "failed")] == []  # no worker ever saw them


def test_fixed_publishes_all_six(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

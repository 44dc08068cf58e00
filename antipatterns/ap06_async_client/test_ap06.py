"""An async client's connection belongs to an event loop, and asyncio.run closes its loop."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(6)


def test_broken_fails_every_second_time_although_all_ten_posts_arrive(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed
    ends = [note.what for note in result.notes if note.what in ("succeeded", "failed")]
    assert (
        ends == ["succeeded", "failed"] * 5
    )  # a failed task drops the dead connection, and the next task makes a new one


def test_fixed_says_what_happened(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

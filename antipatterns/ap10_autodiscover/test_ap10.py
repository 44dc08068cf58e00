"""A task exists only where its module was imported."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(10)


def test_broken_throws_all_five_posts_away(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed
    assert {note.facts["task"] for note in result.notes if note.what == "unknown"} == {"publish_post"}


def test_fixed_publishes_all_five(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

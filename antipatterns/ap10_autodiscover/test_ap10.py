"""A task exists only where its module was imported."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(10)


def test_broken_throws_all_five_posts_away(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.counts == {"sent": 5, "published": 0, "thrown away as unknown": 5, "left in the queue": 0}
    assert result.failed
    assert {note.facts["task"] for note in result.notes if note.what == "unknown"} == {"publish_post"}


def test_fixed_publishes_all_five(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.counts == {"sent": 5, "published": 5, "thrown away as unknown": 0, "left in the queue": 0}
    assert not result.failed

"""A message is not part of the transaction."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(18)


def test_broken_looks_for_a_post_before_it_is_there(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.counts == {"posts": 1, "tried before the commit": 1, "not found": 1, "analysed": 0}
    assert result.failed
    assert any("there is no post 7" in note.facts["error"] for note in result.notes if note.what == "failed")


def test_fixed_sends_the_post_once_it_is_there(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.counts == {"posts": 1, "tried before the commit": 0, "not found": 0, "analysed": 1}
    assert not result.failed

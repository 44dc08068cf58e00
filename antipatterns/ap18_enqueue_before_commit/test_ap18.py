"""A message is not part of the transaction."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(18)


def test_broken_looks_for_a_post_before_it_is_there(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed
    assert any("there is no post 7" in note.facts["error"] for note in result.notes if note.what == "failed")


def test_fixed_sends_the_post_once_it_is_there(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

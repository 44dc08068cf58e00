"""A request without a timeout can take a worker away for good."""

from antipatterns.experiment import antipattern
from experiments.ground import Ground

AP = antipattern(7)


def test_broken_does_none_of_the_five_behind_a_request_that_hangs(servers: Ground) -> None:
    result = AP.try_out(servers, "broken")

    assert result.counts == {"sent behind the one that hangs": 5, "published in three seconds": 0, "requests begun": 1}
    assert result.failed


def test_fixed_gives_up_on_it_and_does_the_five(servers: Ground) -> None:
    result = AP.try_out(servers, "fixed")

    assert result.counts == {"sent behind the one that hangs": 5, "published in three seconds": 5, "requests begun": 6}
    assert not result.failed
    (error,) = [note.facts["error"] for note in result.notes if note.what == "failed"]
    assert "ReadTimeout" in error

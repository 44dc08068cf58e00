"""A retry cannot change an answer that is final."""

from antipatterns.experiment import antipattern
from experiments.ground import Ground

AP = antipattern(19)


def test_broken_tries_six_times_what_can_never_succeed(servers: Ground) -> None:
    result = AP.try_out(servers, "broken")

    assert result.counts == {
        "starts of the one that may succeed": 2,
        "starts of the one that cannot": 6,
        "published": 1,
    }
    assert result.failed
    assert all("too long" in note.facts["error"] for note in result.notes if note.what == "failed")


def test_fixed_takes_no_for_an_answer_and_still_retries_what_may_pass(servers: Ground) -> None:
    result = AP.try_out(servers, "fixed")

    assert result.counts == {
        "starts of the one that may succeed": 2,
        "starts of the one that cannot": 1,
        "published": 1,
    }
    assert not result.failed

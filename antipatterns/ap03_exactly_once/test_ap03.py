"""A worker killed after the effect and before the acknowledgement makes a task run again."""

from antipatterns.experiment import antipattern
from experiments.ground import Ground

AP = antipattern(3)


def test_broken_charges_twice_what_was_sent_once(servers: Ground) -> None:
    result = AP.try_out(servers, "broken")

    assert result.counts == {"sent": 1, "started": 2, "charged": 2, "left in the queue": 0}
    assert result.failed
    first, second = [note for note in result.notes if note.what == "charged"]
    (kill,) = [note for note in result.notes if note.what == "SIGKILL"]
    assert first.at < kill.at < second.at  # the first charge was made before its worker died
    assert first.pid != second.pid


def test_fixed_starts_twice_and_charges_once(servers: Ground) -> None:
    result = AP.try_out(servers, "fixed")

    assert result.counts == {"sent": 1, "started": 2, "charged": 1, "left in the queue": 0}
    assert not result.failed

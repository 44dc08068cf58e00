"""A process that does the work cannot keep the time."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(2)


def test_broken_loses_the_ticks_during_a_long_job_and_the_job_with_beat(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed
    (kill,) = [note for note in result.notes if note.what == "SIGKILL"]
    (held,) = [note for note in result.notes if note.what == "holds"]
    assert held.pid == kill.facts["worker"]  # the job was in Beat, and died with it


def test_fixed_ticks_on_and_ends_its_long_jobs_without_beat(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed
    (kill,) = [note for note in result.notes if note.what == "SIGKILL"]
    assert kill.facts["worker"] not in {note.pid for note in result.notes if note.what == "holds"}

"""Work that is only in the web server's memory dies with the web server."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(8)


def test_broken_publishes_none_of_five_accepted_posts_after_a_crash(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []
    assert result.failed
    server, _worker = [note.facts["worker"] for note in result.notes if note.what == "SIGKILL"]
    begun = [note.pid for note in result.notes if note.what == "holds"]
    assert begun[:5] == [server] * 5  # they were in its memory


def test_fixed_publishes_all_five_although_server_and_worker_were_killed(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

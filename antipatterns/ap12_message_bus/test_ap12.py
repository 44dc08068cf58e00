"""One worker does a task, once; every service gets an event."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(12)


def test_broken_delivers_ten_events_ten_times_to_two_services(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.differs == []  # the notifier missed every event while it was down
    assert result.failed


def test_fixed_delivers_each_event_to_each_service_also_when_it_comes_later(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.differs == []
    assert not result.failed

"""A task is done once, by one worker; an event is everybody's."""

from antipatterns.experiment import on_celery
from experiments.ground import Ground

EXPERIMENT = on_celery(12)


def test_broken_delivers_ten_events_ten_times_to_two_services(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "broken")

    assert result.counts["deliveries"] == 10
    assert result.counts["heard by notifier"] <= 5  # nothing of what was said while it was down
    assert result.failed


def test_fixed_delivers_each_event_to_each_service_also_when_it_comes_later(servers: Ground) -> None:
    result = EXPERIMENT.try_out(servers, "fixed")

    assert result.counts == {
        "events": 10,
        "deliveries due": 20,
        "heard by analytics": 10,
        "heard by notifier": 10,
        "deliveries": 20,
    }
    assert not result.failed

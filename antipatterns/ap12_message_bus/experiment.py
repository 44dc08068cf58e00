"""Ten posts are published. Two services have to hear of each one: analytics and the subscribers' notifier."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Celery as a message bus"
BROKERS = ("rabbitmq",)
FIGURE = ("deliveries due", "deliveries")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {"events": 10, "deliveries due": 20, "heard by analytics": 8, "heard by notifier": 2, "deliveries": 10},
    "fixed": {"events": 10, "deliveries due": 20, "heard by analytics": 10, "heard by notifier": 10, "deliveries": 20},
}
SERVICES = ("analytics", "notifier")
QUEUES = ("events", *SERVICES)


def run(stage: Stage, module: str) -> Counts:
    """Announce ten posts to both services, the last five while the notifier is down. Then start it again."""
    stage.celery(module, SERVICE="analytics")
    notifier = stage.celery(module, SERVICE="notifier")
    stage.run(module, "0", "5")
    copies = sum(map(stage.has_queue, QUEUES))  # of each event
    stage.until(lambda: stage.count("succeeded") == 5 * copies, "the services have heard of the first five")
    stage.until(lambda: not stage.at_work(), "the broker has their acknowledgements")  # else they come again
    stage.kill(notifier)
    stage.until(lambda: sum(map(stage.consumers, QUEUES)) == 1, "the broker knows that the notifier is gone")
    stage.run(module, "5", "10")
    stage.until(lambda: stage.count("heard", service="analytics", post=9), "analytics has heard of the last")
    stage.celery(module, SERVICE="notifier")
    stage.until(lambda: stage.count("succeeded") == 10 * copies, "the new notifier has heard of the rest")
    counts: Counts = {"events": 10, "deliveries due": 20}
    for service in SERVICES:
        counts[f"heard by {service}"] = len({note.facts["post"] for note in stage.notes("heard", service=service)})
    counts["deliveries"] = counts["heard by analytics"] + counts["heard by notifier"]
    return counts


def failed(counts: Counts) -> bool:
    """True if a service missed an event."""
    return counts["deliveries"] < counts["deliveries due"]


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    due = counts["deliveries due"]
    return f"{counts['events']} events for two services made {counts['deliveries']} deliveries; {due} were due"

"""Ten posts are published; two services, analytics and the subscribers' notifier, both have to hear of each."""

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Celery as a message bus"
BROKERS = ("rabbitmq",)
FIGURE = ("deliveries due", "deliveries")  # what was due, and what came
DUE: dict[str, Due] = {
    "broken": {"events": 10, "deliveries due": 20, "heard by analytics": 8, "heard by notifier": 2, "deliveries": 10},
    "fixed": {"events": 10, "deliveries due": 20, "heard by analytics": 10, "heard by notifier": 10, "deliveries": 20},
}
SERVICES = ("analytics", "notifier")
QUEUES = ("events", *SERVICES)


def run(stage: Stage, module: str) -> Counts:
    """Tell both services of ten posts, of the last five while the notifier is down; then let it come back."""
    stage.celery(module, SERVICE="analytics")
    notifier = stage.celery(module, SERVICE="notifier")
    stage.run(module, "0", "5")
    copies = sum(map(stage.has_queue, QUEUES))  # of each event
    stage.until(lambda: stage.count("succeeded") == 5 * copies, "the first five are heard of")
    stage.until(lambda: not stage.at_work(), "the broker has their acknowledgements")  # else they come again
    stage.kill(notifier)
    stage.until(lambda: sum(map(stage.consumers, QUEUES)) == 1, "the broker knows that the notifier is gone")
    stage.run(module, "5", "10")
    stage.until(lambda: stage.count("heard", service="analytics", post=9), "analytics has heard of the last")
    stage.celery(module, SERVICE="notifier")
    stage.until(lambda: stage.count("succeeded") == 10 * copies, "whoever comes back has heard of what is left")
    counts: Counts = {"events": 10, "deliveries due": 20}
    for service in SERVICES:
        counts[f"heard by {service}"] = len({note.facts["post"] for note in stage.notes("heard", service=service)})
    counts["deliveries"] = counts["heard by analytics"] + counts["heard by notifier"]
    return counts


def failed(counts: Counts) -> bool:
    """Not everybody heard of everything."""
    return counts["deliveries"] < counts["deliveries due"]


def verdict(counts: Counts) -> str:
    """What the counts say."""
    due = counts["deliveries due"]
    return f"{counts['events']} events for two services made {counts['deliveries']} deliveries; {due} were due"

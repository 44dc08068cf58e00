"""Ten posts are published; analytics and the subscribers' notifier both have to hear of each."""

from celery import Celery

from antipatterns.experiment import Counts
from experiments.ground import Stage

NAME = "Celery as a message bus"
BROKERS = ("rabbitmq",)
SERVICES = ("analytics", "notifier")


def run(stage: Stage, module: str) -> Counts:
    """Tell both services of ten posts, five of them while the notifier is down."""
    stage.celery(module, SERVICE="analytics")
    notifier = stage.celery(module, SERVICE="notifier")
    with Celery(broker=stage.broker_url, set_as_current=False) as bus:
        tell(stage, bus, range(5))
        stage.until(lambda: stage.count("succeeded") >= 5, "the first five were heard of")
        notifier.stop()
        tell(stage, bus, range(5, 10))
        stage.until(lambda: stage.count("heard", service="analytics", post=9), "analytics has heard of the last")
        stage.celery(module, SERVICE="notifier")
        tell(stage, bus, [10, 11])
        stage.until(lambda: heard(stage, 11) or heard(stage, 10), "somebody has heard of what came last")
        stage.until(
            lambda: stage.waiting("events") + stage.waiting("notifier") + stage.waiting("analytics") == 0, "all is read"
        )
    counts: Counts = {"events": 10, "deliveries due": 20}
    counts |= {
        f"heard by {each}": sum(stage.count("heard", service=each, post=post) for post in range(10))
        for each in SERVICES
    }
    return counts


def tell(stage: Stage, bus: Celery, posts: range | list[int]) -> None:
    """Publish an event a post to the exchange."""
    for number in posts:
        bus.send_task("post_published", [number], exchange="events", routing_key="")
        stage.note("sent", task="post_published", post=number)


def heard(stage: Stage, post: int) -> bool:
    """Whether both services, or all there are to hear of it, have heard of a post."""
    return stage.count("heard", post=post) > 0


def failed(counts: Counts) -> bool:
    """Not everybody heard of everything."""
    return counts["heard by analytics"] + counts["heard by notifier"] < counts["deliveries due"]


def verdict(counts: Counts) -> str:
    """What the counts say."""
    total = counts["heard by analytics"] + counts["heard by notifier"]
    return f"{counts['events']} events for two services made {total:g} deliveries, {counts['deliveries due']} were due"

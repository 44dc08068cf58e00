"""Lab 3, Confirms. `publish` hands posts to the broker, and returns those that are certainly in the queue."""

import os

from amqp.exceptions import ChannelError
from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError

from experiments.messenger import post

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
app.conf.task_queues = [Queue("posts", no_declare=True)]  # the deployment creates the queues, not the publisher
app.conf.broker_transport_options = {"confirm_publish": True}


@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text)


def publish(texts: list[str]) -> list[str]:
    """Put the posts into the queue "posts", and return those that are safely in it."""
    accepted = []
    for text in texts:
        try:
            publish_post.apply_async((text,), mandatory=True, retry=False)
        except (OperationalError, ChannelError):  # refused, or returned
            continue
        accepted.append(text)
    return accepted

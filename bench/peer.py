"""dramatiq with a no-op actor and default settings: the fastest of the well-known Python libraries on RabbitMQ."""

import os

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

dramatiq.set_broker(RabbitmqBroker(url=os.environ["RMQ_URL"]))


@dramatiq.actor(queue_name="peer")
def noop() -> None:
    """Do nothing."""

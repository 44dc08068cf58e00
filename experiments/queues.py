"""Queues of a stage, as the broker reports them: waiting messages, messages at work, and consumers."""

from contextlib import suppress
from typing import Any

import kombu
import redis
from kombu.exceptions import OperationalError

from experiments.servers import Servers

OUT_ON_REDIS = "unacked"  # kombu's hash of the messages that workers have and have not acknowledged


class Queues:
    """The queues of one vhost, or of one Redis database.

    Args:
        broker: "rabbitmq" or "redis".
        broker_url: its address, as Celery takes it.
    """

    def __init__(self, servers: Servers, vhost: str, broker: str, broker_url: str, client: redis.Redis) -> None:
        self.servers, self.vhost, self.broker, self.broker_url, self.redis = servers, vhost, broker, broker_url, client
        self._questions = kombu.Connection(broker_url)  # one for all questions: a new one for each cost the broker time

    def waiting(self, queue: str = "celery") -> int:
        """Return how many messages of a queue no worker has, by the broker's count; 0 without such a queue."""
        declared = self._declared(queue)
        return int(declared.message_count) if declared else 0

    def at_work(self) -> int:
        """Return how many messages of all queues a worker has and has not acknowledged, by the broker's count.

        A worker that is killed gives them back. A task that has ended is no proof of an acknowledgement: Celery's main
        loop sends it a moment later. RabbitMQ takes about half a second to answer.
        """
        if self.broker == "redis":
            return self.redis.hlen(OUT_ON_REDIS)
        return self.servers.unacknowledged(self.vhost)

    def has_queue(self, queue: str) -> bool:
        """Return whether there is such a queue."""
        return self._declared(queue) is not None

    def consumers(self, queue: str = "celery") -> int:
        """Return how many consumers a queue has, by RabbitMQ's count; 0 without such a queue. Redis does not know."""
        declared = self._declared(queue)
        return int(declared.consumer_count) if declared else 0

    def close(self) -> None:
        """Close the connection."""
        self._questions.release()

    def _declared(self, queue: str) -> Any:
        try:
            with self._questions.channel() as channel, suppress(*self._questions.channel_errors):
                return channel.queue_declare(queue, passive=True)
        except (
            *self._questions.connection_errors,
            OperationalError,
        ):  # it was away; a new connection for the next question
            self._questions.collect()
            self._questions = kombu.Connection(self.broker_url)
        return None

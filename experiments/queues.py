"""A stage's queues by the broker's own account: what waits, what is at work, and who consumes."""

from contextlib import suppress
from typing import Any

import kombu
import redis
from kombu.exceptions import OperationalError

from experiments.servers import Servers

OUT_ON_REDIS = "unacked"  # the hash in which kombu keeps what workers have and have not acknowledged


class Queues:
    """The queues of one vhost, or of one Redis database.

    Args:
        broker: "rabbitmq" or "redis".
        broker_url: its address, as Celery takes it.
    """

    def __init__(self, servers: Servers, vhost: str, broker: str, broker_url: str, client: redis.Redis) -> None:
        self.servers, self.vhost, self.broker, self.broker_url, self.redis = servers, vhost, broker, broker_url, client
        self._questions = kombu.Connection(broker_url)  # for many of them; one for each took the broker's time

    def waiting(self, queue: str = "celery") -> int:
        """Messages in a queue that no worker has, by the broker's own count; 0 if there is no such queue."""
        declared = self._declared(queue)
        return int(declared.message_count) if declared else 0

    def at_work(self) -> int:
        """Messages of all queues that a worker has and has not acknowledged, by the broker's own count.

        A worker that is killed gives them back. What a task says of its end proves no acknowledgement: Celery's main
        loop sends that a moment later. RabbitMQ takes about half a second to answer.
        """
        if self.broker == "redis":
            return self.redis.hlen(OUT_ON_REDIS)
        return self.servers.unacknowledged(self.vhost)

    def has_queue(self, queue: str) -> bool:
        """Whether there is such a queue."""
        return self._declared(queue) is not None

    def consumers(self, queue: str = "celery") -> int:
        """Consumers of a queue, by RabbitMQ's own count; 0 if there is no such queue. Redis does not know."""
        declared = self._declared(queue)
        return int(declared.consumer_count) if declared else 0

    def close(self) -> None:
        """Let go of the connection."""
        self._questions.release()

    def _declared(self, queue: str) -> Any:
        try:
            with self._questions.channel() as channel, suppress(*self._questions.channel_errors):
                return channel.queue_declare(queue, passive=True)
        except (*self._questions.connection_errors, OperationalError):  # it was away; next time there is another one
            self._questions.collect()
            self._questions = kombu.Connection(self.broker_url)
        return None

"""Broker side of the Celery lane: queues, options of the transport, dead letters and the owner of the queues."""

from amqp.exceptions import PreconditionFailed
from celery import bootsteps
from kombu import Connection, Exchange, Queue
from kombu.transport import redis as over_redis

from cars_bot.boundary import for_celery
from cars_bot.catalogue import JOBS, QUEUES
from cars_bot.errors import NotConfigured
from cars_bot.processes import clock, ownership
from cars_bot.settings import REDIS_PRIORITIES, settings

EXCHANGE = "cars_bot"
DEAD_LETTERS = Exchange("celery.dead", type="fanout")
DEAD_LETTER_QUEUE = Queue("celery.dead", DEAD_LETTERS)
OWNERS_QUEUE = "celery.kit"  # always empty; it names the kit that owns the other queues (`processes/ownership.py`)
LONGEST_JOB = max(job.policy.hard_time_limit for job in JOBS.values())
SECONDS_FOR_THE_BROKER = 3.0  # after that, the confirm counts as unknown, and the relay publishes again


def queues() -> list[Queue]:
    """Return the catalogue's queues with their arguments for RabbitMQ. Redis ignores the arguments."""
    declared = []
    for queue in QUEUES.values():
        arguments: dict[str, object] = {"x-queue-mode": "lazy"}  # a backlog waits on disk, as in RabbitMQ >= 3.12
        # feature: priorities
        arguments["x-max-priority"] = queue.max_priority
        # end
        # feature: dead letters with replay
        arguments["x-dead-letter-exchange"] = DEAD_LETTERS.name  # for rejected and expired messages
        # end
        # feature: message TTL
        if queue.message_ttl is not None:
            arguments["x-message-ttl"] = int(queue.message_ttl * 1000)
        # end
        declared.append(Queue(queue.name, Exchange(EXCHANGE, type="direct"), queue.name, queue_arguments=arguments))
    return declared


def route(queue: str) -> dict[str, str]:
    """Return the way of a task to its queue, for `task_routes`.

    With the name of the queue alone, Celery sends the message to the default exchange and passes by the queue's own.
    No other queue can get a copy there. Over Redis the name is enough: a route through an exchange would be one more
    key that a FLUSHALL deletes.
    """
    # feature: routing to queues
    if settings().celery_over_redis:
        return {"queue": queue}
    return {"queue": queue, "exchange": EXCHANGE, "routing_key": queue}
    # end


def transport_options() -> dict[str, object]:
    """Return the options of the broker's transport."""
    if settings().celery_over_redis:
        over_redis.time = clock.now  # the clock that shows messages which a worker has had for too long
        return {
            # Redis does not notice the death of a worker. It hands out each message again that is unacknowledged for
            # so long, also an unfinished one. So it must be longer than any job. A longer countdown makes a copy.
            "visibility_timeout": LONGEST_JOB * 2,
            # There is a list for each priority. A worker reads the lists of all its queues in this order.
            "priority_steps": list(REDIS_PRIORITIES),
            "queue_order_strategy": "round_robin",  # for queues whose first messages have the same priority
            "socket_timeout": SECONDS_FOR_THE_BROKER,
            "socket_connect_timeout": SECONDS_FOR_THE_BROKER,
        }
    # The options in the broker's URL. The raw lane uses them too.
    asked = for_celery.broker_options(settings())
    patience = asked.get("blocked_connection_timeout", SECONDS_FOR_THE_BROKER)
    return {
        # Without confirms, a publish into a dead connection "succeeds", and the message is gone. With confirms but
        # without the timeouts, it waits for ever while the broker has a memory alarm.
        # feature: confirmed, mandatory publishing
        "confirm_publish": True,
        # end
        "connect_timeout": asked.get("socket_timeout", SECONDS_FOR_THE_BROKER),
        "read_timeout": patience,
        "write_timeout": patience,
    }


def reserve(connection: Connection) -> None:
    """Reserve the lane's queues for this kit.

    Raises:
        NotConfigured: they belong to another kit; the message says what to do.
        StorageUnavailable: the database, which has this kit's name, does not answer.
    """
    if settings().celery_over_redis:
        ownership.reserve_on_redis(settings().celery_broker_url)
        return
    if not (name := ownership.kit_name()):
        return
    try:
        with connection.channel() as channel:
            mark = ownership.mark(name, DEAD_LETTERS.name)
            channel.queue_declare(OWNERS_QUEUE, durable=True, auto_delete=False, arguments=mark)
    except PreconditionFailed as refusal:
        if owner := ownership.owner_in(str(refusal)):
            raise NotConfigured(ownership.in_words(settings().celery_broker_url, owner)) from refusal
        raise


class DeadLetterQueue(bootsteps.StartStopStep):
    """Declares the exchange and queue of dead letters at each connect. Celery declares only queues that it consumes."""

    requires = ("celery.worker.consumer.connection:Connection",)

    def start(self, parent: object) -> None:
        """Declare them. The worker calls this when its consumer has a connection. Redis has no dead letters."""
        if not settings().celery_over_redis:
            DEAD_LETTER_QUEUE.bind(parent.connection.default_channel).declare()  # type: ignore[attr-defined]

"""What the raw lane has in the broker, and the way a message takes through it.

                 priority queues                        nobody consumes this one
    raw.jobs ──> raw.<queue> ──(rejected, outlived its TTL)──> raw.dead
       direct        ^
                     │
                 raw.delivery <── raw.delay.00 <── raw.delay.01 <── … <── raw.delay.23
                                  waits 0.1 s      waits 0.2 s            waits 9.7 days

A delay is a number of tenths of a second, and its binary digits are the way: at each level a message either waits in
that level's queue (digit 1) until its TTL is over and the broker dead-letters it one level down, or passes straight
on (digit 0). So any delay up to 19 days is exact with 24 queues, no worker holds the message meanwhile, and it
survives restarts. A TTL per message in a single queue would not do: a queue only expires messages at its head.

A pure table, for the connections to declare. Queues are lazy, as all are from RabbitMQ 3.12 on: backlogs lie on disk.
"""

import math
from collections.abc import Iterator
from typing import Any

from cars_bot.catalogue import QUEUES

JOBS, DELIVERY, DEAD, KIT = "raw.jobs", "raw.delivery", "raw.dead", "raw.kit"
UNIT = 0.1  # seconds: the shortest delay
LEVELS = 24  # 2 ** 24 tenths of a second are 19 days

Declaration = tuple[str, dict[str, Any]]
"""The name of a method of a pika channel, and its arguments."""


def queue_name(queue: str) -> str:
    """What `queue` of the catalogue is called in this lane."""
    return f"raw.{queue}"


def route(queue: str, delay: float = 0.0) -> tuple[str, str]:
    """Return the exchange and the routing key that bring a message to `queue` after `delay` seconds (0: at once)."""
    # feature: routing to queues
    if delay <= 0:
        return JOBS, queue
    # end
    # feature: countdown/ETA
    units = min(math.ceil(delay / UNIT), 2**LEVELS - 1)
    digits = ".".join(f"{units:0{LEVELS}b}")
    return _level(units.bit_length() - 1), f"{digits}.{queue}"  # enters at its first 1
    # end


def _level(level: int) -> str:
    return f"raw.delay.{level:02d}" if level >= 0 else DELIVERY


def declarations() -> Iterator[Declaration]:
    """Everything the lane needs, in an order that can be declared. Declaring again what is there changes nothing."""
    yield from _exchange(JOBS, "direct")
    yield from _exchange(DELIVERY, "topic")
    yield from _exchange(DEAD, "fanout")
    yield from _queue(DEAD, {})
    yield "queue_bind", {"queue": DEAD, "exchange": DEAD, "routing_key": ""}
    for queue in QUEUES.values():
        name = queue_name(queue.name)
        # feature: priorities
        arguments: dict[str, Any] = {"x-max-priority": queue.max_priority}
        # end
        # feature: dead letters with replay
        arguments["x-dead-letter-exchange"] = DEAD
        # end
        # feature: message TTL
        if queue.message_ttl is not None:
            arguments["x-message-ttl"] = int(queue.message_ttl * 1000)
        # end
        yield from _queue(name, arguments)
        # feature: routing to queues
        yield "queue_bind", {"queue": name, "exchange": JOBS, "routing_key": queue.name}
        yield "queue_bind", {"queue": name, "exchange": DELIVERY, "routing_key": f"#.{queue.name}"}
        # end
    yield from _delay_levels()


# feature: countdown/ETA
def _delay_levels() -> Iterator[Declaration]:
    for level in range(LEVELS):
        here, below, passed = _level(level), _level(level - 1), "*." * (LEVELS - 1 - level)
        ttl = int(UNIT * 1000) << level
        yield from _exchange(here, "topic")
        yield from _queue(here, {"x-message-ttl": ttl, "x-dead-letter-exchange": below})  # keeps the routing key
        yield "queue_bind", {"queue": here, "exchange": here, "routing_key": f"{passed}1.#"}
        yield "exchange_bind", {"destination": below, "source": here, "routing_key": f"{passed}0.#"}


# end


def _exchange(name: str, kind: str) -> Iterator[Declaration]:
    yield "exchange_declare", {"exchange": name, "exchange_type": kind, "durable": True}


def _queue(name: str, arguments: dict[str, Any]) -> Iterator[Declaration]:
    yield "queue_declare", {"queue": name, "durable": True, "arguments": {"x-queue-mode": "lazy"} | arguments}


def declare(channel: Any) -> None:
    """Send all declarations down a pika channel. A queue that has other arguments closes it: delete it by hand."""
    for method, arguments in declarations():
        getattr(channel, method)(**arguments)

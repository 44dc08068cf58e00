"""Topology: the exchanges and queues of the raw lane, and a message's way through them.

                 priority queues                        without a consumer
    raw.jobs ──> raw.<queue> ──(rejected, outlived its TTL)──> raw.dead
       direct        ^
                     │
                 raw.delivery <── raw.delay.00 <── raw.delay.01 <── … <── raw.delay.23
                                  waits 0.1 s      waits 0.2 s            waits 9.7 days

A delay is a number of tenths of a second. Its binary digits give the way through the levels. At digit 1 a message waits
in the level's queue until the TTL ends, and the broker dead-letters it one level down. At digit 0 it passes straight
on. So 24 queues make any delay up to 19 days exact, no worker holds the message, and it survives restarts. One queue
with a TTL per message would not work: a queue expires messages only at its head. Lazy queues keep backlogs on disk.
"""

import math
from collections.abc import Iterator
from typing import Any

from cars_bot.catalogue import QUEUES

JOBS, DELIVERY, DEAD, KIT = "raw.jobs", "raw.delivery", "raw.dead", "raw.kit"
UNIT = 0.1  # seconds: the shortest delay
LEVELS = 24  # 2 ** 24 tenths of a second are 19 days

Declaration = tuple[str, dict[str, Any]]  # a method of a pika channel, and its arguments


def queue_name(queue: str) -> str:
    """The name in this lane of a queue of the catalogue."""
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
    """All declarations of the lane, in a valid order. A second declaration changes nothing."""
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
    """Declare everything on a pika channel. A queue with other arguments closes the channel: delete that queue."""
    for method, arguments in declarations():
        getattr(channel, method)(**arguments)

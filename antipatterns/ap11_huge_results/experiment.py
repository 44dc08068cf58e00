"""Three reports of ten megabytes are made. Then the memory that the result backend uses is measured."""

import time

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "Returning huge data"
BROKERS = ("rabbitmq", "redis")
FIGURE = (0, "bytes in Redis")  # the value that was due, and the count that came
DUE: dict[str, Due] = {  # bytes depend on the Redis version, time on the machine's load
    "broken": {
        "reports": 3,
        "bytes in Redis": (30_000_000, 45_000_000),
        "hours they stay": 24,
        "ms to read one": (1, 10_000),
    },
    "fixed": {"reports": 3, "bytes in Redis": (300, 3_000), "hours they stay": 24, "ms to read one": (0, 10_000)},
}


def run(stage: Stage, module: str) -> Counts:
    """Make three reports, count the bytes of their results, and read one of them as a page would."""
    stage.celery(module)
    ids = [stage.send("make_report", channel) for channel in range(3)]
    keys = [f"celery-task-meta-{each}" for each in ids]
    stage.until(lambda: stage.redis.exists(*keys) == 3, "all three results are stored")
    began = time.monotonic()
    stage.redis.get(keys[0])
    read = time.monotonic() - began
    return {
        "reports": 3,
        "bytes in Redis": sum(int(stage.redis.memory_usage(key, samples=0) or 0) for key in keys),
        "hours they stay": round(min(stage.redis.ttl(key) for key in keys) / 3600),
        "ms to read one": round(read * 1000, 2),
    }


def failed(counts: Counts) -> bool:
    """True if the result backend holds megabytes."""
    return counts["bytes in Redis"] > 1_000_000


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    return (
        f"{counts['reports']} results take {counts['bytes in Redis']:,} bytes of Redis for "
        f"{counts['hours they stay']} hours; reading one took {counts['ms to read one']:.2f} ms"
    )

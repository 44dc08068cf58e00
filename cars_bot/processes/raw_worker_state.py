"""Raw worker state: the hand-written workers write their state to Redis. Celery's workers answer over the broker.

A worker writes its state once a second. The key expires soon after the worker's last write. Nobody asks a worker, so no
worker can be too busy to answer.
"""

import json
from typing import Any

from cars_bot import ledger

PREFIX = "cars_bot:raw_worker:"
KEPT_SECONDS = 5


def workers() -> list[dict[str, Any]]:
    """Return the states that the workers have written within the last seconds, sorted by name.

    Raises:
        redis.RedisError: Redis is away, and the states are unknown.
    """
    client = ledger.connect()
    found: list[Any] = [client.get(key) for key in sorted(client.scan_iter(f"{PREFIX}*"))]
    return [json.loads(state) for state in found if state]

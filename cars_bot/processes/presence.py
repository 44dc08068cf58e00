"""What the hand-written workers say about themselves in Redis; Celery's workers are asked over their broker instead.

A worker writes its state once a second under a key that is gone soon after the worker is. No worker is asked and so
none can be too busy to answer.
"""

import json
from typing import Any

from cars_bot import ledger

PREFIX = "cars_bot:raw_worker:"
KEPT_SECONDS = 5


def workers() -> list[dict[str, Any]]:
    """What the workers have written within the last seconds, by name.

    Raises:
        redis.RedisError: Redis is away: nothing is known.
    """
    client = ledger.connect()
    found: list[Any] = [client.get(key) for key in sorted(client.scan_iter(f"{PREFIX}*"))]
    return [json.loads(state) for state in found if state]

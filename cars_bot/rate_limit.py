"""Rate limit: one limit for all workers and lanes together, as a sliding window in Redis.

The window is a sorted set of the past calls, by time. One Lua script trims it, counts and adds, so no other process
comes in between. It uses the clock of Redis alone. Celery's own `rate_limit` is different. It limits each worker by
itself, so two workers make twice as many calls.
"""

from functools import cache
from typing import Any

import redis

from cars_bot import ledger
from cars_bot.errors import OverBudget

WAIT_WITHOUT_REDIS = 3.0  # seconds; without the window there is no permission, and the run comes again later

# feature: global rate limit
# KEYS[1] is the window. ARGV: limit, window in seconds, a unique member. It returns 0 or the microseconds to wait.
_ACQUIRE = """
local now = redis.call('TIME')
local t = now[1] * 1000000 + now[2]
local window = ARGV[2] * 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', t - window)
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('ZADD', KEYS[1], t, ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[2] * 1000)
  return 0
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return oldest[2] + window - t + 1000
"""


@cache
def _script() -> Any:
    return ledger.connect().register_script(_ACQUIRE)


def acquire(name: str, *, limit: int, window: float, member: str) -> None:
    """Take one of the `limit` places that `name` has in any `window` seconds.

    Args:
        member: a unique name of this call (a run and its attempt).

    Raises:
        OverBudget: no place is free before `retry_after` seconds. Also while Redis is away.
    """
    try:
        wait = int(_script()(keys=[f"cars_bot:rate:{name}"], args=[limit, window, member]))
    except redis.RedisError as error:
        raise OverBudget(f"the rate window of {name} cannot be read: {error}", WAIT_WITHOUT_REDIS) from error
    if wait:
        raise OverBudget(f"{name} had its {limit} calls in {window:.0f} s", wait / 1_000_000)


# end

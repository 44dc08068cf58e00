"""Ledger: the ordered record of the events of each run, as a Redis stream.

It feeds the live page and is the evidence of the experiments. No decision depends on it. So a call of `record` never
fails and never waits. Events go into a bounded buffer, and a thread writes them in batches. While Redis is away, they
are lost.

Events: accepted published delivered started retry redelivered lost superseded succeeded failed expired revoked
dead-lettered.
"""

import atexit
import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis

from cars_bot.boundary import redis_client
from cars_bot.processes import clock
from cars_bot.settings import settings

STREAM = "cars_bot:ledger"
LENGTH = 200_000  # events kept, approximately
BUFFER = 20_000  # events that may wait for Redis in one process; older ones are dropped first
FLUSH_SECONDS = 0.05
PROMPTLY_SECONDS = 0.001  # the same, while a request waits for a run's end
BATCH = 500  # events in one command: Redis does nothing else meanwhile
ENDED = "cars_bot:ended"  # the channel that carries the ids of ended runs, as a JSON array
ENDS = {"succeeded", "failed", "expired", "revoked"}

# KEYS[1] is the stream. ARGV[1] is the number of events to keep. ARGV[2] is a JSON array of events, each one as
# [field, value, field, value, …]. ARGV[3] is the channel of ends, ARGV[4] the ids of the runs that have ended. The
# script returns the number of listeners on that channel. One command for a batch costs this process a quarter of the
# cost of one command for each event.
_APPEND = """
for _, event in ipairs(cjson.decode(ARGV[2])) do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(event))
end
local listening = redis.call('PUBSUB', 'NUMSUB', ARGV[3])[2]
if listening > 0 and ARGV[4] ~= '[]' then
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
return listening
"""


def connect() -> redis.Redis:
    """Return a Redis client that gives up after a second, so that it does not hold up a worker."""
    return redis_client.connect(settings().redis_url, 1.0, decode_responses=True)


def answers() -> bool:
    """Return whether Redis is there to hold the ledger."""
    try:
        return bool(connect().ping())
    except redis.RedisError:
        return False


def time_of_redis() -> float | None:
    """Return the time of Redis's clock, in seconds since 1970. None: Redis is away."""
    try:
        with connect() as client:
            seconds, microseconds = client.time()
    except redis.RedisError:
        return None
    return float(seconds) + float(microseconds) / 1e6


@dataclass(frozen=True)
class Event:
    """One event. `at` is in seconds since 1970. `cursor` is the id in the stream; reading goes on after it."""

    cursor: str
    at: float
    event: str
    run: str
    lane: str
    worker: str
    attempt: int
    detail: str


class _Writer:
    """The buffer and its thread; one per process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.pending: deque[list[str]] = deque(maxlen=BUFFER)
        self.wake = threading.Event()
        self.append = connect().register_script(_APPEND)
        self.writing = threading.Lock()
        self.flushed_at = 0.0
        self.somebody_waits = False  # for a run's end, as of the last flush
        threading.Thread(target=self._run, name="ledger", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.wake.wait()
            # The first event after a pause is written at once. Later ones gather: one round trip for all.
            gather = PROMPTLY_SECONDS if self.somebody_waits else FLUSH_SECONDS
            time.sleep(max(0.0, self.flushed_at + gather - time.monotonic()))
            self.wake.clear()
            self.flush()
            self.flushed_at = time.monotonic()

    def flush(self) -> None:
        """Write the buffered events. On any error of Redis they are dropped."""
        with self.writing:
            there = len(self.pending)  # later events wait for the next flush, or a busy process never ends this one
            for start in range(0, there, BATCH):
                batch = [self.pending.popleft() for _ in range(min(BATCH, there - start))]
                # A lone surrogate (half an emoji in an error's text) is not UTF-8. It becomes a question mark.
                events = json.dumps(batch, ensure_ascii=False).encode(errors="replace")
                ended = json.dumps([run for _, _, _, event, _, run, *_ in batch if event in ENDS])
                try:
                    listening = self.append(keys=[STREAM], args=[LENGTH, events, ENDED, ended])
                    self.somebody_waits = bool(listening)
                except redis.RedisError:
                    return


_writer: _Writer | None = None
_silent = False


def be_silent() -> None:
    """Record nothing from this process and its children. Another process may record their events."""
    global _silent
    _silent = True


def record(
    event: str, run: str, lane: str, *, worker: str = "", attempt: int = 0, detail: str = "", at: float | None = None
) -> None:
    """Record that `event` happened to `run`. Return at once and never raise.

    Args:
        at: the event's time in seconds since 1970; None: now. An end is recorded after it is stored. So give another
            stored event the time before it was stored. Otherwise it may seem to come after the end.
    """
    global _writer
    if _silent:
        return
    if _writer is None or _writer.pid != os.getpid():
        _writer = _Writer()  # also after a fork, because threads do not survive it
        atexit.register(_writer.flush)
    _writer.pending.append(
        ["at", f"{at or clock.now():.6f}", "event", event, "run", run, "lane", lane,
         "worker", worker, "attempt", str(attempt), "detail", detail[:500]]
    )  # fmt: skip
    if not _writer.wake.is_set():  # this saves a lock for all but the first of a batch
        _writer.wake.set()


def flush() -> None:
    """Write the events in this process's buffer. Call it before an exit that skips `atexit`."""
    if _writer is not None and _writer.pid == os.getpid():
        _writer.flush()


def _event(cursor: str, fields: dict[str, str]) -> Event:
    return Event(
        cursor, float(fields["at"]), fields["event"], fields["run"], fields["lane"],
        fields["worker"], int(fields["attempt"]), fields["detail"],
    )  # fmt: skip


def read(client: redis.Redis, cursor: str, *, count: int = 2_000, block_ms: int | None = None) -> list[Event]:
    """Return the events after `cursor` ("0": all, "$": only new ones). Wait for them up to `block_ms`.

    Raises:
        redis.RedisError: Redis is away.
    """
    reply: Any = client.xread({STREAM: cursor}, count=count, block=block_ms)
    return [_event(entry, fields) for _stream, entries in reply or [] for entry, fields in entries]


def newest(client: redis.Redis) -> str:
    """Return the cursor of the newest event. Only future events come after it.

    Raises:
        redis.RedisError: Redis is away.
    """
    found: Any = client.xrevrange(STREAM, count=1)
    return str(found[0][0]) if found else "0"


def history(client: redis.Redis, *, since: float = 0.0) -> Iterator[Event]:
    """Yield all kept events from `since` (seconds since 1970) on, oldest first."""
    cursor = f"{int(since * 1000)}-0"
    while events := read(client, cursor):
        yield from events
        cursor = events[-1].cursor

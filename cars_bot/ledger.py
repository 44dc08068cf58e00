"""The ledger: the ordered record of what happened to each run, as a Redis stream.

It feeds the live page and is the evidence of the experiments; no decision is ever taken from it. So recording never
fails and never waits: events go into a bounded buffer, a thread writes them in batches, and when Redis is away they
are lost.

Events: accepted published started retry redelivered lost superseded succeeded failed expired revoked dead-lettered.
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

from cars_bot import redis_client
from cars_bot.processes import clock
from cars_bot.settings import settings

STREAM = "cars_bot:ledger"
LENGTH = 200_000  # events kept, approximately
BUFFER = 20_000  # events that may wait for Redis in one process; older ones are dropped first
FLUSH_SECONDS = 0.05
PROMPTLY_SECONDS = 0.001  # the same, while somebody waits for a run's end
BATCH = 500  # events in one command: Redis does nothing else meanwhile
ENDED = "cars_bot:ended"  # the channel on which the ids of runs that have ended are told, as a JSON array
ENDS = {"succeeded", "failed", "expired", "revoked"}

# KEYS[1] the stream; ARGV: how many events to keep, a JSON array of events as [field, value, field, value, …], the
# channel of ends, and the ids of the runs that have ended. Returns how many listen to that channel. One command for a
# batch costs this process a quarter of what one command for each event does.
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
    """A Redis client that gives up after a second instead of holding a worker."""
    return redis_client.connect(settings().redis_url, 1.0, decode_responses=True)


def answers() -> bool:
    """Whether Redis is there to hold the ledger."""
    try:
        return bool(connect().ping())
    except redis.RedisError:
        return False


def time_of_redis() -> float | None:
    """The time by Redis' clock, in seconds since 1970; None: Redis is away."""
    try:
        with connect() as client:
            seconds, microseconds = client.time()
    except redis.RedisError:
        return None
    return float(seconds) + float(microseconds) / 1e6


@dataclass(frozen=True)
class Event:
    """One line of the ledger. `at` is seconds since 1970; `cursor` is the stream's own id, to read on from."""

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
        self.somebody_waits = False  # for a run's end, as far as the last flush could tell
        threading.Thread(target=self._run, name="ledger", daemon=True).start()

    def _run(self) -> None:
        while True:
            self.wake.wait()
            # What comes after a pause is written at once. Then a batch gathers: one round trip for all of it.
            gather = PROMPTLY_SECONDS if self.somebody_waits else FLUSH_SECONDS
            time.sleep(max(0.0, self.flushed_at + gather - time.monotonic()))
            self.wake.clear()
            self.flush()
            self.flushed_at = time.monotonic()

    def flush(self) -> None:
        """Write what is there; on any trouble with Redis it is dropped."""
        with self.writing:
            there = len(self.pending)  # what comes meanwhile waits: chasing it, a busy process would never be done
            for start in range(0, there, BATCH):
                batch = [self.pending.popleft() for _ in range(min(BATCH, there - start))]
                # A lone surrogate, as half an emoji in an error's text, is no UTF-8 and becomes a question mark.
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
    """Record nothing from this process and those it forks: somebody else tells of what it does."""
    global _silent
    _silent = True


def record(
    event: str, run: str, lane: str, *, worker: str = "", attempt: int = 0, detail: str = "", at: float | None = None
) -> None:
    """Note that `event` happened to `run`. Returns at once and never raises.

    Args:
        at: when, in seconds since 1970; None: now. An end is told of after it was stored, so what is stored and is no
            end has to be told of with a time before that: or else it may seem to have come after the end.
    """
    global _writer
    if _silent:
        return
    if _writer is None or _writer.pid != os.getpid():
        _writer = _Writer()  # also after a fork: threads do not survive one
        atexit.register(_writer.flush)
    _writer.pending.append(
        ["at", f"{at or clock.now():.6f}", "event", event, "run", run, "lane", lane,
         "worker", worker, "attempt", str(attempt), "detail", detail[:500]]
    )  # fmt: skip
    if not _writer.wake.is_set():  # a lock less for all but the first of a batch
        _writer.wake.set()


def flush() -> None:
    """Write what this process still has in its buffer: before an exit that skips `atexit`."""
    if _writer is not None and _writer.pid == os.getpid():
        _writer.flush()


def _event(cursor: str, fields: dict[str, str]) -> Event:
    return Event(
        cursor,
        float(fields["at"]),
        fields["event"],
        fields["run"],
        fields["lane"],
        fields["worker"],
        int(fields["attempt"]),
        fields["detail"],
    )


def read(client: redis.Redis, cursor: str, *, count: int = 2_000, block_ms: int | None = None) -> list[Event]:
    """Return the events after `cursor` ("0" for the oldest, "$" for only new ones), waiting up to `block_ms`.

    Raises:
        redis.RedisError: Redis is away.
    """
    reply: Any = client.xread({STREAM: cursor}, count=count, block=block_ms)
    return [_event(entry, fields) for _stream, entries in reply or [] for entry, fields in entries]


def newest(client: redis.Redis) -> str:
    """The cursor after which only events come that are not there yet.

    Raises:
        redis.RedisError: Redis is away.
    """
    found: Any = client.xrevrange(STREAM, count=1)
    return str(found[0][0]) if found else "0"


def history(client: redis.Redis, *, since: float = 0.0) -> Iterator[Event]:
    """All events still kept from `since` (seconds since 1970) on, oldest first."""
    cursor = f"{int(since * 1000)}-0"
    while events := read(client, cursor):
        yield from events
        cursor = events[-1].cursor

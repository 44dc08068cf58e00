"""Seen events: the events of the ledger since the start of a comparison."""

import redis

from cars_bot import ledger


class SeenEvents:
    """The events so far. They are read while the comparison runs, because Redis may lose them."""

    def __init__(self, since: float) -> None:
        self.found: list[ledger.Event] = []
        self.cursor = f"{int((since - 1) * 1000)}-0"
        self.client = ledger.connect()

    def read(self) -> None:
        """Read the new events. While Redis is away, there are none."""
        try:
            while events := ledger.read(self.client, self.cursor):
                self.found += events
                self.cursor = events[-1].cursor
        except redis.RedisError:
            pass

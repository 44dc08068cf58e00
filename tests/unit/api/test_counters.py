"""The numbers of a page that has just been opened."""

import asyncio

from api.live.counters import Counters
from api.live.live_queries import Hub


def test_before_the_brokers_were_asked_a_tick_has_no_depth(fresh_database: None) -> None:
    counters = Counters(Hub())
    asyncio.run(counters._tick())

    assert counters.history[-1]["depth"] == {}

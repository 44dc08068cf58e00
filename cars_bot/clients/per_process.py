"""One client per process: connections, event loops and threads must not be shared across a fork."""

import os
import threading
from collections.abc import Callable
from typing import TypeVar

from cars_bot.settings import Settings, settings

T = TypeVar("T")


def per_process(build: Callable[[Settings], T]) -> Callable[[], T]:
    """Turn `build` into a function that builds once and then returns the same object in this process.

    It builds again in a forked child, and when the settings have changed (tests do that).
    """
    lock = threading.Lock()
    built: dict[tuple[int, Settings], T] = {}

    def get() -> T:
        key = (os.getpid(), settings())
        client = built.get(key)
        if client is not None:
            return client
        with lock:
            if key not in built:
                built.clear()
                built[key] = build(key[1])
            return built[key]

    def renew_lock() -> None:
        nonlocal lock
        lock = threading.Lock()  # at the fork another thread of the parent may have held the old one, for ever

    os.register_at_fork(after_in_child=renew_lock)
    return get

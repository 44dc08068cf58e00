"""Clients per process: a forked child gets its own, because it must not share connections, event loops or threads."""

import os
import threading
from collections.abc import Callable
from typing import TypeVar

from cars_bot.settings import Settings, settings

T = TypeVar("T")


def per_process(build: Callable[[Settings], T]) -> Callable[[], T]:
    """Return a function that calls `build` once and then returns the same object in this process.

    It builds again in a forked child, and after a change of the settings (tests do that).
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
        # A thread of the parent may hold the old lock at the fork. The child's copy would stay locked for ever.
        lock = threading.Lock()

    os.register_at_fork(after_in_child=renew_lock)
    return get

"""One client per process: connections, event loops and threads must not be shared across a fork."""

import os
import threading
from collections.abc import Callable

from cars_bot.settings import Settings, settings


def per_process[T](build: Callable[[Settings], T]) -> Callable[[], T]:
    """Turn `build` into a function that builds once and returns the same object in this process.

    It builds again in a forked child, and when the settings have changed (tests do that).
    """
    lock = threading.Lock()
    built: dict[tuple[int, Settings], T] = {}

    def get() -> T:
        key = (os.getpid(), settings())
        if key not in built:
            with lock:
                if key not in built:
                    built.clear()
                    built[key] = build(key[1])
        return built[key]

    def forget_parents_lock() -> None:
        nonlocal lock
        lock = threading.Lock()  # another thread of the parent may have held it during the fork

    os.register_at_fork(after_in_child=forget_parents_lock)
    return get

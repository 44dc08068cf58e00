"""A repair of `time.sleep`, which libfaketime 0.9 breaks. Every Python with this file on its path reads it first.

Python (from 3.11 on) sleeps until an absolute time. libfaketime refuses such a time when it leaves the monotonic clock
alone.
"""

import select
import time

time.sleep = lambda seconds: select.select([], [], [], seconds)  # type: ignore[assignment]

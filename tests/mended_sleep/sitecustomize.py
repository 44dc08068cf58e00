"""Read by every Python that finds it on its path, before all else: libfaketime 0.9 breaks `time.sleep`.

It refuses the absolute times with which Python (from 3.11 on) sleeps, when the monotonic clock is left alone.
"""

import select
import time

time.sleep = lambda seconds: select.select([], [], [], seconds)  # type: ignore[assignment]

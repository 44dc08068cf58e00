"""When jobs are short enough for a worker to read ahead; both lanes go by it."""

SHORT = 0.003  # seconds a job may take on average to count as short, for a worker that reads 100 messages ahead
LONG = 0.05  # seconds after which a job in hand counts as long


def is_quick(pace: float, so_far: bool, short: float = SHORT) -> bool:
    """Return true when jobs that take `pace` seconds are short. Two thresholds keep it from switching back and forth:
    jobs that were short so far count as short up to twice as long."""
    return pace < (2 * short if so_far else short)

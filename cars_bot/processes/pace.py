"""Pace: the rule for jobs that are short enough for a worker to read ahead. Both lanes use it."""

SHORT = 0.003  # seconds a job may take on average to count as short, for a worker that reads 100 messages ahead
LONG = 0.05  # seconds after which a job in hand counts as long


def is_quick(pace: float, so_far: bool, short: float) -> bool:
    """Return whether jobs take less than `short` seconds, or less than twice that if they were short so far. Two
    thresholds keep the answer from switching back and forth."""
    return pace < (2 * short if so_far else short)

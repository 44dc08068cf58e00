"""When jobs are short enough for a worker to read ahead; both lanes go by it."""

SHORT = 0.003  # seconds a job may take on average to count as short
LONG = 0.05  # seconds after which a job in hand counts as long


def is_quick(pace: float, so_far: bool) -> bool:
    """Whether jobs that take `pace` seconds are short. What is so stays so up to twice as long: it does not flutter."""
    return pace < (2 * SHORT if so_far else SHORT)

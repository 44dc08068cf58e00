"""A job that the accepting side knows and the workers do not: EXTRA_JOBS was set for one of them only."""

from typing import Any

from cars_bot.catalogue import QUEUES, Job
from cars_bot.context import Context


def keep(context: Context, data: list[Any]) -> int:
    """Count what it is given."""
    return len(data)


JOBS = [Job("keep", keep, QUEUES["default"])]

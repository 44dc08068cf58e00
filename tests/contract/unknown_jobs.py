"""A job that the accepting side knows and the workers do not, because EXTRA_JOBS is set for one side only."""

from typing import Any

from cars_bot.catalogue import QUEUES, Job
from cars_bot.context import Context


def keep(context: Context, data: list[Any]) -> int:
    """Count the items of a list."""
    return len(data)


JOBS = [Job("keep", keep, QUEUES["default"])]

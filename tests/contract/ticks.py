"""A job that is due every second, for kits with `EXTRA_JOBS=tests.contract.ticks`."""

from cars_bot.catalogue import QUEUES, Job
from cars_bot.context import Context
from cars_bot.schedule import Tick

EVERY = 1.0  # seconds


def count_tick(context: Context) -> None:
    """Have an effect."""
    context.effect("tick", context.run_id)


JOBS = [Job("count_tick", count_tick, QUEUES["monitoring"])]
SCHEDULE = {"often": Tick("count_tick", every=EVERY)}

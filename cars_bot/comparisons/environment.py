"""Environment of a comparison: the machine, the software, and the workers."""

import time
from typing import Any

from cars_bot import VERSION, database
from cars_bot.processes import liveness, machine
from cars_bot.settings import settings


def describe(brokers: dict[str, str]) -> dict[str, Any]:
    """Return the environment of the running kit. `brokers` has their versions by their own report.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "kit": VERSION,
        **machine.software(),
        **machine.hardware(),
        "database": database.engine().dialect.name,
        "brokers": brokers,
        "celery_broker": "redis" if settings().celery_over_redis else "rabbitmq",
        "workers": liveness.alive(),
    }

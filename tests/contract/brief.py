"""Queues of their own, in which a message lives for a second and an hour, for kits with `EXTRA_JOBS` of this name."""

from cars_bot.catalogue import Job, Queue
from tests.contract.jobs import name_process

JOBS = [
    Job("brief", name_process, Queue("brief", max_priority=1, message_ttl=1.0)),
    Job("unhurried", name_process, Queue("unhurried", max_priority=1, message_ttl=3600.0)),
]

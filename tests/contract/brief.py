"""A queue of its own, in which a message lives for a second, for kits with `EXTRA_JOBS=tests.contract.brief`."""

from cars_bot.catalogue import Job, Queue
from tests.contract.jobs import name_process

JOBS = [Job("brief", name_process, Queue("brief", max_priority=1, message_ttl=1.0))]

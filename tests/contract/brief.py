"""Two queues for kits with `EXTRA_JOBS=tests.contract.brief`.

A message lives for a second in `brief`, and for an hour in `unhurried`.
"""

from cars_bot.catalogue import Job, Queue
from tests.contract.jobs import name_process

JOBS = [
    Job("brief", name_process, Queue("brief", max_priority=1, message_ttl=1.0)),
    Job("unhurried", name_process, Queue("unhurried", max_priority=1, message_ttl=3600.0)),
]

"""Lab 2, By hand."""

from tests.labs.wrong import Wrong

STARTERS = dict.fromkeys(("celery", "raw"), "It loses its connection while it works")
HANGS, TOO_EARLY = "A worker that hangs keeps its message", "It acknowledges before the work is done"
WRONG = [
    Wrong("no heartbeat", "raw", HANGS, {"parameters.heartbeat = 2": "parameters.heartbeat = 0"}),
    Wrong("a heartbeat of minutes", "raw", HANGS, {"parameters.heartbeat = 2": "parameters.heartbeat = 600"}),
    Wrong(
        "acknowledge, then hand over", "raw", TOO_EARLY,
        {"    jobs.submit(work": "    channel.basic_ack(method.delivery_tag)\n    jobs.submit(work"},
    ),
    Wrong(
        "a thread, and wait for it", "raw", "It loses its connection while it works",
        {"jobs.submit(work, channel, method, body)": "jobs.submit(work, channel, method, body).result()"},
    ),
    Wrong(
        "no heartbeat", "celery", HANGS,
        {"broker_heartbeat = 2": "broker_heartbeat = 0", 'worker_pool = "prefork"': 'worker_pool = "solo"'},
    ),
    Wrong("early acknowledgement", "celery", TOO_EARLY, {"task_acks_late = True": "task_acks_late = False"}),
    Wrong(
        "more of the same", "celery", "It loses its connection while it works",
        {'worker_pool = "prefork"': 'worker_concurrency = 4\napp.conf.worker_pool = "solo"'},
    ),
]  # fmt: skip

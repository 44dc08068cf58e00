"""Lab 15, Deploy."""

from tests.labs.wrong import Wrong

LOST = "A job that outlives the grace time is lost"
STARTERS = {"celery": LOST, "raw": "It ends in the middle of a job"}
IGNORED = """app.conf.worker_prefetch_multiplier = 1


@signals.worker_ready.connect
def finish_everything(**_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
"""
AT_ONCE = """app.conf.worker_prefetch_multiplier = 1


@signals.worker_shutting_down.connect
def be_quick(**_: object) -> None:
    os._exit(0)
"""
WRONG = [
    Wrong("the broker may forget it at once", "celery", LOST, {"app.conf.task_acks_late = True\n": ""}),
    Wrong("four messages ahead", "celery", "It sits on jobs that it has fetched ahead",
          {"app.conf.worker_prefetch_multiplier = 1": "app.conf.worker_prefetch_multiplier = 4"}),
    Wrong("deaf to SIGTERM", "celery", "It goes on taking jobs after SIGTERM",
          {"app.conf.worker_prefetch_multiplier = 1\n": IGNORED, "import os\n": "import os\nimport signal\n",
           "from celery import Celery": "from celery import Celery, signals"}),
    Wrong("gone at once", "celery", "It ends in the middle of a job",
          {"app.conf.worker_prefetch_multiplier = 1\n": AT_ONCE,
           "from celery import Celery": "from celery import Celery, signals"}),
    Wrong("acknowledged before the work", "raw", LOST,
          {'    publish(delivery.arguments["text"])\n    delivery.ack()\n':
           '    delivery.ack()\n    publish(delivery.arguments["text"])\n'}),
    Wrong("deaf to SIGTERM", "raw", "It goes on taking jobs after SIGTERM",
          {"lambda *_: connection.add_callback_threadsafe(channel.stop_consuming)": "signal.SIG_IGN"}),
    Wrong("ten messages ahead", "raw", "It sits on jobs that it has fetched ahead",
          {"prefetch_count=1": "prefetch_count=10"}),
    Wrong("the thread's end is the job's end", "raw", "It ends before its acknowledgement is sent",
          {"    while at_work:\n        connection.process_data_events(time_limit=1)\nconnection.close()\n": ""}),
    Wrong("waiting for ever", "raw", "It does not end when its job is done", {"while at_work:": "while True:"}),
]  # fmt: skip

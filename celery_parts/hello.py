"""Hello, Celery lane: the smallest complete lane. `raw_consumer/hello.py` does the same job in the same steps.

    ./kit exec python -m celery_parts.hello worker     # in one terminal; Ctrl-C ends it
    ./kit exec python -m celery_parts.hello send 7 2   # in another: task 7, 2 seconds of work

The real lane adds retries, time limits, dead letters and a record of each run: `celery_tasks.py`.
"""

import os
import sys
import time
from typing import Any

from celery import Celery, Task

url = os.environ.get("RMQ_URL") or sys.exit("RMQ_URL is not set; start this program with ./kit exec")
app = Celery("hello", broker=url)
app.conf.update(
    task_default_queue="hello.celery",  # durable, as all queues of Celery
    task_serializer="json",
    accept_content=["json"],
    task_acks_late=True,  # the ack comes after the work; a worker that dies before it loses nothing
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,  # the other messages stay free for other workers
    worker_concurrency=1,
    broker_transport_options={"confirm_publish": True},  # a call returns after the broker has stored the message
    task_ignore_result=True,
)


@app.task(bind=True)
def process_task(self: Task, task_num: int, timeout: float) -> None:
    """Work for `timeout` seconds. This is the job."""
    time.sleep(timeout)
    print(f"{self.request.id}: task {task_num} is done", flush=True)  # noqa: T201


def send(job: Task, **arguments: Any) -> str:
    """Publish a job and return its id."""
    return str(job.apply_async(kwargs=arguments, mandatory=True).id)


def work() -> None:
    """Start Celery's worker. It connects, consumes, runs and acknowledges."""
    app.worker_main(["worker", "--loglevel", "warning", "--without-gossip", "--without-mingle"])


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["worker"]:
            work()
        case ["send", number, seconds]:
            print(send(process_task, task_num=int(number), timeout=float(seconds)))  # noqa: T201
        case _:
            sys.exit(__doc__)

"""Lab 4, Registration. A web page asks for a job by its name, and a worker finds the function of that name."""

import os

from celery import Celery
from kombu import Queue

TASKS = [f"labs.lab04_registration.tasks.{module}" for module in ("publishing", "billing", "sheets")]
TO_THE_DEAD = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "posts.dead"}

app = Celery("cars_bot", broker=os.environ["BROKER_URL"], include=TASKS)
app.conf.task_default_queue = "posts"
app.conf.task_queues = [Queue("posts", queue_arguments=TO_THE_DEAD)]


def submit(job: str, arguments: dict[str, str]) -> str:
    """Send a job to the worker, and return the message's id."""
    return str(app.send_task(job, kwargs=arguments).id)

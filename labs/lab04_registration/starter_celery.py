"""Lab 4, Registration. A web page asks for a job by its name, and a worker finds the function of that name."""

import os

from celery import Celery
from kombu import Queue

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
# TODO 3: a job that the worker does not know becomes a dead letter in the queue "posts.dead". That queue exists.
app.conf.task_queues = [Queue("posts")]
# TODO 2: the worker knows the tasks in the modules publishing, billing and sheets of labs.lab04_registration.tasks.
app.autodiscover_tasks(["labs.lab04_registration"])

page = Celery("page", broker=os.environ["BROKER_URL"])


# TODO 1: the page's messages reach the worker.
def submit(job: str, arguments: dict[str, str]) -> str:
    """Send a job to the worker, and return the message's id."""
    return str(page.send_task(job, kwargs=arguments).id)

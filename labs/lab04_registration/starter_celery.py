"""Lab 4, Registration. A web page asks for jobs by their names, and a worker knows which function is meant."""

import os

from celery import Celery
from kombu import Queue

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
# TODO 3: what the worker does not know ends among the dead letters: in the queue "posts.dead", which is there.
app.conf.task_queues = [Queue("posts")]
# TODO 2: the worker knows the tasks in the modules publishing, billing and sheets of labs.lab04_registration.tasks.
app.autodiscover_tasks(["labs.lab04_registration"])

page = Celery("page", broker=os.environ["BROKER_URL"])


# TODO 1: what the page sends reaches the worker.
def submit(job: str, arguments: dict[str, str]) -> str:
    """Have a job done; return the message's id."""
    return str(page.send_task(job, kwargs=arguments).id)

"""Lab 4, Registration. A web page asks for a job by its name, and a worker finds the function of that name."""

import json
import uuid

from pika import BasicProperties

from labs.consuming import Delivery, connect, consume
from labs.lab04_registration import work

JOBS = {"publish_post": work.publish_post}  # TODO 2: the worker knows all three jobs of work.py.


# TODO 1: the page's messages reach the worker.
def submit(job: str, arguments: dict[str, str]) -> str:
    """Send a job to the worker, and return the message's id."""
    message_id = str(uuid.uuid4())
    properties = BasicProperties(message_id=message_id, type=job, delivery_mode=2)
    with connect() as connection:
        channel = connection.channel()
        channel.queue_declare("jobs", durable=True)
        channel.basic_publish("", "jobs", json.dumps(arguments).encode(), properties)
    return message_id


# TODO 3: a job that the worker does not know becomes a dead letter in the queue "posts.dead". That queue exists.
def dispatch(delivery: Delivery) -> None:
    """Do the job that a message names."""
    if job := JOBS.get(delivery.job):
        job(**delivery.arguments)
    delivery.ack()


if __name__ == "__main__":  # only the worker runs this part; the page imports the module
    consume("posts", dispatch)

"""Lab 4, Registration. A web page asks for jobs by their names, and a worker knows which function is meant."""

import json
import uuid

from pika import BasicProperties

from labs.consuming import Delivery, connect, consume
from labs.lab04_registration import work

JOBS = {"publish_post": work.publish_post}  # TODO 2: the worker knows all three jobs that there are in work.py.


# TODO 1: what the page sends reaches the worker.
def submit(job: str, arguments: dict[str, str]) -> str:
    """Have a job done; return the message's id."""
    message_id = str(uuid.uuid4())
    properties = BasicProperties(message_id=message_id, type=job, delivery_mode=2)
    with connect() as connection:
        channel = connection.channel()
        channel.queue_declare("jobs", durable=True)
        channel.basic_publish("", "jobs", json.dumps(arguments).encode(), properties)
    return message_id


# TODO 3: what the worker does not know ends among the dead letters: in the queue "posts.dead", which is there.
def dispatch(delivery: Delivery) -> None:
    """Do the job that a message asks for."""
    if job := JOBS.get(delivery.job):
        job(**delivery.arguments)
    delivery.ack()


if __name__ == "__main__":  # a worker; the page only imports this module
    consume("posts", dispatch)

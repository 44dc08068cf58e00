"""Lab 4, Registration. A web page asks for a job by its name, and a worker finds the function of that name."""

import json
import uuid

from pika import BasicProperties

from labs.consuming import Delivery, connect, consume
from labs.lab04_registration import work

JOBS = {job.__name__: job for job in (work.publish_post, work.charge_subscription, work.sync_sheet)}
TO_THE_DEAD = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "posts.dead"}


def submit(job: str, arguments: dict[str, str]) -> str:
    """Send a job to the worker, and return the message's id."""
    message_id = str(uuid.uuid4())
    properties = BasicProperties(message_id=message_id, type=job, delivery_mode=2)
    with connect() as connection:
        channel = connection.channel()
        channel.queue_declare("posts", durable=True, arguments=TO_THE_DEAD)
        channel.basic_publish("", "posts", json.dumps(arguments).encode(), properties)
    return message_id


def dispatch(delivery: Delivery) -> None:
    """Do the job that a message names."""
    if job := JOBS.get(delivery.job):
        job(**delivery.arguments)
        delivery.ack()
    else:
        delivery.reject()  # it becomes a dead letter


if __name__ == "__main__":  # only the worker runs this part; the page imports the module
    consume("posts", dispatch, arguments=TO_THE_DEAD)

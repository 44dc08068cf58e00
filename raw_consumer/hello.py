"""Hello, raw lane: the smallest whole lane by hand. `celery_parts/hello.py` does the same job in the same steps.

    ./kit exec python -m raw_consumer.hello worker     # in one terminal; Ctrl-C ends it
    ./kit exec python -m raw_consumer.hello send 7 2   # in another: task 7, 2 seconds of work

The real lane adds retries, time limits, dead letters and a record of each run: `consumer.py`.
"""

import json
import os
import sys
import time
import uuid
from contextlib import suppress
from typing import Any

import pika

QUEUE = "hello.raw"


def process_task(task_num: int, timeout: float) -> str:
    """Work for `timeout` seconds. This is the job."""
    time.sleep(timeout)
    return f"task {task_num} is done"


JOBS = {"process_task": process_task}  # Celery: @app.task


def connect() -> tuple[Any, Any]:
    """Return a connection and its channel, with the queue declared."""
    url = os.environ.get("RMQ_URL") or sys.exit("RMQ_URL is not set; start this program with ./kit exec")
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare(QUEUE, durable=True)  # the queue survives a restart of the broker
    return connection, channel


def send(job: str, **arguments: Any) -> str:
    """Publish a job and return its id. The call returns after the broker has stored the message."""
    connection, channel = connect()
    channel.confirm_delivery()
    message_id = str(uuid.uuid4())
    properties = pika.BasicProperties(
        message_id=message_id, type=job, content_type="application/json", delivery_mode=pika.DeliveryMode.Persistent
    )
    channel.basic_publish("", QUEUE, json.dumps(arguments).encode(), properties, mandatory=True)
    connection.close()
    return message_id


def on_message(channel: Any, method: Any, properties: Any, body: bytes) -> None:
    """Run one message. The ack comes after the work: a worker that dies before it loses nothing."""
    try:
        result = JOBS[properties.type](**json.loads(body))
    except Exception as error:
        print(f"{properties.message_id} failed: {error!r}", flush=True)  # noqa: T201
        channel.basic_nack(method.delivery_tag, requeue=False)
    else:
        print(f"{properties.message_id}: {result}", flush=True)  # noqa: T201
        channel.basic_ack(method.delivery_tag)


def work() -> None:
    """Consume one message at a time, until Ctrl-C."""
    _, channel = connect()
    channel.basic_qos(prefetch_count=1)  # the other messages stay free for other workers
    channel.basic_consume(QUEUE, on_message)
    with suppress(KeyboardInterrupt):
        channel.start_consuming()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["worker"]:
            work()
        case ["send", number, seconds]:
            print(send("process_task", task_num=int(number), timeout=float(seconds)))  # noqa: T201
        case _:
            sys.exit(__doc__)

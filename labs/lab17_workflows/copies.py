"""Copies of messages: the broker keeps one of each, and the check sends one again."""

from typing import Any

import pika

from labs.trial import QUEUE, Trial

COPIES = "copies"  # a queue with a copy of each published message


def keep_copies(trial: Trial) -> None:
    """Tell the broker to keep a copy of each message that is published from now on."""
    trial.stage.trace()
    with trial.stage.pika() as channel:
        channel.queue_declare(COPIES, durable=True)
        channel.queue_bind(COPIES, "amq.rabbitmq.trace", "publish.#")


def send_again(trial: Trial, job: str) -> None:
    """Publish a copy of the job's message, like a sender that got no confirm. Do nothing if the job has no message."""
    with trial.stage.pika() as channel:
        while True:
            method, told, body = channel.basic_get(COPIES, auto_ack=True)
            if method is None or told is None or body is None:
                return
            message: dict[str, Any] = dict(told.headers or {})["properties"]
            if job in (message.get("type"), (message.get("headers") or {}).get("task")):
                trial.stage.note("sent", job=job, again=True)
                channel.basic_publish("", QUEUE, body, pika.BasicProperties(**message), mandatory=True)
                return

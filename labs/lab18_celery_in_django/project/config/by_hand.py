"""What Celery brings and a hand-written consumer needs: a table of jobs, and a way to send one."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pika

from labs.consuming import connect

JOBS: dict[str, Callable[..., Any]] = {}  # by name; whoever imports a module with jobs fills it


def job(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: a message whose type is the function's name asks for it."""
    JOBS[function.__name__] = function
    return function


def send(name: str, /, **arguments: Any) -> str:
    """Send a job, confirmed by the broker; return the message's id."""
    properties = pika.BasicProperties(message_id=str(uuid.uuid4()), type=name, delivery_mode=2)
    with connect() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("", "posts", json.dumps(arguments).encode(), properties, mandatory=True)
    return str(properties.message_id)

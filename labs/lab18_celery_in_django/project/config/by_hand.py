"""Jobs by hand: a table of jobs, and a function that sends one. Celery has both; a hand-written consumer needs them."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pika

from labs.consuming import connect

JOBS: dict[str, Callable[..., Any]] = {}  # by name; the import of a module with jobs fills it


def job(function: Callable[..., Any]) -> Callable[..., Any]:
    """Put a function into JOBS (decorator). A message whose type is the function's name asks for this job."""
    JOBS[function.__name__] = function
    return function


def send(name: str, /, **arguments: Any) -> str:
    """Send a job, and return the message's id when the broker has confirmed it."""
    properties = pika.BasicProperties(message_id=str(uuid.uuid4()), type=name, delivery_mode=2)
    with connect() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("", "posts", json.dumps(arguments).encode(), properties, mandatory=True)
    return str(properties.message_id)

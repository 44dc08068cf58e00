"""Steps of the workflow, which the check can stop. In the raw lane `pass_on` sends the next step's message."""

import json
import re
import threading
import uuid

from pika import BasicProperties

from experiments.evidence import hold, note
from experiments.messenger import post
from labs.consuming import Delivery

PARTS = ("price", "mileage")
PATTERNS = {"price": r"\d+ rub", "mileage": r"\d+ km"}


def classify(text: str) -> None:
    """Ask a language model whether a car is for sale. This costs money. Here the answer is always yes."""
    note("step", step="classify", text=text)


def extract(part: str, text: str) -> str:
    """Find one of the PARTS in a post."""
    note("step", step=part, text=text)
    hold(f"{part} of {text}")
    found = re.search(PATTERNS[part], text)
    return found[0] if found else "unknown"


def describe(text: str, parts: dict[str, str]) -> None:
    """Publish the description of a car."""
    note("step", step="describe", text=text)
    post(description(text, parts))


def description(text: str, parts: dict[str, str]) -> str:
    """Return the description of a car, such as "Kia Rio: 450000 rub, 98000 km"."""
    return f"{text.partition(',')[0]}: {', '.join(parts.get(part, 'missing') for part in PARTS)}"


def pass_on(delivery: Delivery, job: str, **arguments: str) -> None:
    """Send the next step's message by hand, on the same channel. All earlier commands on the channel go first."""
    said = threading.Event()
    delivery.channel.connection.add_callback_threadsafe(said.set)
    said.wait()
    hold(f"sending {job} of {arguments['text']}")
    properties = BasicProperties(message_id=str(uuid.uuid4()), type=job, delivery_mode=2)
    delivery.publish("", "posts", json.dumps(arguments).encode(), properties)

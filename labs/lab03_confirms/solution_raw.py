"""Lab 3, Confirms. `publish` hands posts to the broker, and returns those that are certainly in the queue."""

import json

from pika import BasicProperties
from pika.exceptions import NackError, UnroutableError

from labs.consuming import connect


def publish(texts: list[str]) -> list[str]:
    """Put the posts into the queue "posts", and return those that are safely in it."""
    accepted = []
    with connect() as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for text in texts:
            body = json.dumps({"text": text}).encode()
            properties = BasicProperties(type="publish_post", delivery_mode=2)
            try:
                channel.basic_publish("", "posts", body, properties, mandatory=True)
            except (NackError, UnroutableError):
                continue
            accepted.append(text)
    return accepted

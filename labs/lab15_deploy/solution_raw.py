"""Lab 15, Deploy. Every new version begins with SIGTERM, a grace time and SIGKILL."""

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from labs.consuming import Delivery, connect
from labs.lab15_deploy.publishing import publish

at_work: set[int] = set()  # delivery tags; only the main thread touches the set


def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    publish(delivery.arguments["text"])
    delivery.ack()
    connection.add_callback_threadsafe(lambda: at_work.discard(delivery.method.delivery_tag))  # after the ack


def begin(*arguments: Any) -> None:
    """Hand a message to a thread."""
    delivery = Delivery(*arguments)
    at_work.add(delivery.method.delivery_tag)
    pool.submit(publish_post, delivery)


connection = connect()
channel = connection.channel()
channel.queue_declare("posts", durable=True)
channel.basic_qos(prefetch_count=1)
signal.signal(signal.SIGTERM, lambda *_: connection.add_callback_threadsafe(channel.stop_consuming))

with ThreadPoolExecutor(1) as pool:
    channel.basic_consume("posts", begin)
    channel.start_consuming()  # returns after SIGTERM
    while at_work:
        connection.process_data_events(time_limit=1)
connection.close()

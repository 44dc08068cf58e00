"""Lab 15, Deploy. Every new version begins with SIGTERM, a grace time and SIGKILL."""

from concurrent.futures import ThreadPoolExecutor

from labs.consuming import Delivery, connect
from labs.lab15_deploy.publishing import publish


def publish_post(delivery: Delivery) -> None:
    """Publish a post in the channel."""
    publish(delivery.arguments["text"])
    delivery.ack()


connection = connect()
channel = connection.channel()
channel.queue_declare("posts", durable=True)
channel.basic_qos(prefetch_count=1)

# TODO 1: at SIGTERM, take no new message.
# TODO 2: then serve the connection until the job at work is done and its acknowledgement is sent. End after that.
with ThreadPoolExecutor(1) as pool:
    channel.basic_consume("posts", lambda *delivery: pool.submit(publish_post, Delivery(*delivery)))
    channel.start_consuming()

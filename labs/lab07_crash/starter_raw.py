"""Lab 7, Crash. A worker may die in the middle of a job, and so may one of its children."""

import multiprocessing

from experiments.messenger import post
from labs.consuming import Delivery, consume
from labs.lab07_crash.picture import render

CHILDREN = multiprocessing.get_context("spawn")  # new processes, which inherit nothing of the connection


def publish(text: str) -> None:
    """Publish a post and its picture in the channel."""
    render(text)
    post(text)


# TODO 1: the broker keeps the message until the work is done, so that another worker can have it.
# TODO 2: nor is the work done when the child that did it was killed and only the worker is left.
def publish_post(delivery: Delivery) -> None:
    """Have a child do it: if it crashes, the worker goes on."""
    delivery.ack()
    child = CHILDREN.Process(target=publish, kwargs=delivery.arguments)
    child.start()
    child.join()


if __name__ == "__main__":  # a worker; its children only import this module
    consume("posts", publish_post)

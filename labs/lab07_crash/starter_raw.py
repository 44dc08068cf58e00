"""Lab 7, Crash. A worker may die in the middle of a job. One of its children may die alone."""

import multiprocessing

from experiments.messenger import post
from labs.consuming import Delivery, consume
from labs.lab07_crash.picture import render

CHILDREN = multiprocessing.get_context("spawn")  # new processes, which do not inherit the connection


def publish(text: str) -> None:
    """Publish a post and its picture in the channel."""
    render(text)
    post(text)


# TODO 1: the broker keeps the message until the work is done, so that another worker can get it.
# TODO 2: if only the child is killed and the worker lives on, the work is not done either.
def publish_post(delivery: Delivery) -> None:
    """Let a child process do the job. If the child crashes, the worker goes on."""
    delivery.ack()
    child = CHILDREN.Process(target=publish, kwargs=delivery.arguments)
    child.start()
    child.join()


if __name__ == "__main__":  # only the worker runs this part; its children import the module
    consume("posts", publish_post)

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


def publish_post(delivery: Delivery) -> None:
    """Have a child do it: if it crashes, the worker goes on."""
    child = CHILDREN.Process(target=publish, kwargs=delivery.arguments)
    child.start()
    child.join()
    if child.exitcode is not None and child.exitcode < 0:  # minus the signal that killed it
        delivery.reject(requeue=True)
    else:
        delivery.ack()  # also of what failed with an error: lab 9 keeps such messages


if __name__ == "__main__":  # a worker; its children only import this module
    consume("posts", publish_post)

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


def publish_post(delivery: Delivery) -> None:
    """Let a child process do the job. If the child crashes, the worker goes on."""
    child = CHILDREN.Process(target=publish, kwargs=delivery.arguments)
    child.start()
    child.join()
    if child.exitcode is not None and child.exitcode < 0:  # a killed child has minus the signal's number
        delivery.reject(requeue=True)
    else:
        delivery.ack()  # also after an error in the job: lab 9 keeps such messages


if __name__ == "__main__":  # only the worker runs this part; its children import the module
    consume("posts", publish_post)

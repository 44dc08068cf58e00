"""Lab 17, Workflows. Classify a post, extract price and mileage, describe the car when both are there."""

import os
import sqlite3

from labs.consuming import Delivery, consume
from labs.lab17_workflows.steps import PARTS, classify, describe, extract

SCHEMA = "CREATE TABLE IF NOT EXISTS parts (text TEXT, part TEXT, value TEXT)"


# TODO 1: make each extraction and the description a message of its own: "extract_price", "extract_mileage" and
#         "describe_post". `pass_on` of steps.py sends one. Then a finished step is not done again.
# TODO 2: send the message for the description when both parts are there. A message may come twice, and a worker may be
#         killed between any two lines.
def process_post(delivery: Delivery) -> None:
    """Do all steps for one post."""
    text = delivery.arguments["text"]
    classify(text)
    describe(text, {part: extract(part, text) for part in PARTS})
    delivery.ack()


def database() -> sqlite3.Connection:
    """Open the table of parts. A `with` block makes its statements one transaction."""
    connection = sqlite3.connect(os.environ["DATABASE"], isolation_level="IMMEDIATE")
    connection.execute(SCHEMA)
    return connection


JOBS = {
    "process_post": process_post,
}

if __name__ == "__main__":
    consume("posts", lambda delivery: JOBS[delivery.job](delivery))

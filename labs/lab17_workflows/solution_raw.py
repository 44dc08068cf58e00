"""Lab 17, Workflows. Classify a post, extract price and mileage, describe the car when both are there."""

import os
import sqlite3

from labs.consuming import Delivery, consume
from labs.lab17_workflows.steps import PARTS, classify, describe, extract, pass_on

SCHEMA = "CREATE TABLE IF NOT EXISTS parts (text TEXT, part TEXT, value TEXT, PRIMARY KEY (text, part))"


def process_post(delivery: Delivery) -> None:
    """Ask whether a car is for sale. Then send a message for each of its parts."""
    text = delivery.arguments["text"]
    classify(text)
    for part in PARTS:
        pass_on(delivery, f"extract_{part}", text=text)
    delivery.ack()


def extract_part(delivery: Delivery) -> None:
    """Find the price or the mileage. If all parts are there, send the message for the description."""
    text, part = delivery.arguments["text"], delivery.job.removeprefix("extract_")
    value = extract(part, text)
    with database() as parts:
        parts.execute("INSERT OR IGNORE INTO parts VALUES (?, ?, ?)", [text, part, value])
        (known,) = parts.execute("SELECT count(*) FROM parts WHERE text = ?", [text]).fetchone()
    if known == len(PARTS):
        pass_on(delivery, "describe_post", text=text)
    delivery.ack()


def describe_post(delivery: Delivery) -> None:
    """Publish the description."""
    text = delivery.arguments["text"]
    with database() as parts:
        describe(text, dict(parts.execute("SELECT part, value FROM parts WHERE text = ?", [text])))
    delivery.ack()


def database() -> sqlite3.Connection:
    """Open the table of parts. A `with` block makes its statements one transaction."""
    connection = sqlite3.connect(os.environ["DATABASE"], isolation_level="IMMEDIATE")
    connection.execute(SCHEMA)
    return connection


JOBS = {
    "process_post": process_post,
    **{f"extract_{part}": extract_part for part in PARTS},
    "describe_post": describe_post,
}

if __name__ == "__main__":
    consume("posts", lambda delivery: JOBS[delivery.job](delivery))

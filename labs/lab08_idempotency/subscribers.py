"""The subscribers and what they pay, in SQLite (the file that DATABASE names). The check pulls the plug in here.

Two tables are there:
    subscribers (id, balance)                           everybody has 1000 at first
    charges (subscriber, month), PRIMARY KEY of both    empty, and nobody writes into it yet
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from experiments.evidence import hold, note
from experiments.messenger import post

PRICE = 100  # of a month
PATIENCE = 30.0  # seconds for which one transaction waits for another
HELD_BEFORE_PAYMENT = (3, 5)  # subscribers at whom the check holds a worker up
HELD_BEFORE_RECEIPT = (4,)


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """What is executed in it becomes true together when the block ends, or not at all. One at a time: others wait."""
    database = sqlite3.connect(os.environ["DATABASE"], timeout=PATIENCE, isolation_level=None)
    note("begins a transaction")
    try:
        database.execute("BEGIN IMMEDIATE")
        yield database
        database.execute("COMMIT")
    finally:
        database.close()  # without the COMMIT nothing has happened
        note("ended a transaction")


def has_paid(subscriber: int, month: str) -> bool:
    """Whether there is such a row in `charges`, at the moment of the question."""
    database = sqlite3.connect(os.environ["DATABASE"], timeout=PATIENCE)
    question = "SELECT 1 FROM charges WHERE subscriber = ? AND month = ?"
    found = database.execute(question, [subscriber, month]).fetchone()
    database.close()
    return found is not None


def take_payment(database: sqlite3.Connection, subscriber: int) -> None:
    """Take the price of a month from a subscriber's balance."""
    if subscriber in HELD_BEFORE_PAYMENT:
        hold(before_payment(subscriber))
    database.execute("UPDATE subscribers SET balance = balance - ? WHERE id = ?", [PRICE, subscriber])


def send_receipt(subscriber: int, month: str) -> None:
    """Tell the subscriber. A second receipt for the same month does no harm."""
    if subscriber in HELD_BEFORE_RECEIPT:
        hold(before_receipt(subscriber))
    post(f"Subscriber {subscriber} has paid {month}")


def before_payment(subscriber: int) -> str:
    """Where a payment is held up."""
    return f"payment of {subscriber}"


def before_receipt(subscriber: int) -> str:
    """Where a receipt is held up."""
    return f"receipt for {subscriber}"

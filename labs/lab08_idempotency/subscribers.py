"""Subscribers and their payments, in SQLite (in the file that DATABASE names). The check kills workers in here.

There are two tables:
    subscribers (id, balance)                           each begins with 1000
    charges (subscriber, month), PRIMARY KEY of both    empty; no code writes into it yet
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from experiments.evidence import hold, note
from experiments.messenger import post

PRICE = 100  # for a month
PATIENCE = 30.0  # seconds that one transaction waits for another
HELD_BEFORE_PAYMENT = (3, 5)  # the check holds the worker at these subscribers
HELD_BEFORE_RECEIPT = (4,)


@contextmanager
def transaction() -> Iterator[sqlite3.Connection]:
    """Open a transaction. Its changes all take effect when the block ends, or none does. Other transactions wait."""
    database = sqlite3.connect(os.environ["DATABASE"], timeout=PATIENCE, isolation_level=None)
    note("begins a transaction")
    try:
        database.execute("BEGIN IMMEDIATE")
        yield database
        database.execute("COMMIT")
    finally:
        database.close()  # without the COMMIT no change remains
        note("ended a transaction")


def has_paid(subscriber: int, month: str) -> bool:
    """Return whether `charges` has such a row at this moment."""
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
    """Send the subscriber a receipt. A second receipt for the same month does no harm."""
    if subscriber in HELD_BEFORE_RECEIPT:
        hold(before_receipt(subscriber))
    post(f"Subscriber {subscriber} has paid {month}")


def before_payment(subscriber: int) -> str:
    """Return the name of the place where a payment is held."""
    return f"payment of {subscriber}"


def before_receipt(subscriber: int) -> str:
    """Return the name of the place where a receipt is held."""
    return f"receipt for {subscriber}"

"""Check of lab 8: send copies of a charge one after the other, around a crash, and two at once."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from experiments.processes import Group
from experiments.stage import DidNotHappen
from labs.lab08_idempotency.subscribers import PRICE, before_payment, before_receipt
from labs.trial import Trial, often

RICH = 1000  # each subscriber's balance at first
IN_LINE, AT_ONCE, KILLED_AFTER, KILLED_BEFORE = 1, 3, 4, 5  # subscribers, named after the trial of their charge
SENTINELS = (11, 12, 13, 14, 15, 16)  # each pays last; then all charges before are over
JULY, AUGUST = "2026-07", "2026-08"
SECONDS = 10.0  # for a step that takes one or two seconds
GRACE = 3.0  # seconds for programs that do not use transaction()


def check(trial: Trial) -> None:
    """Send copies one after the other, kill one worker before and one after a payment, and send two copies at once."""
    create(trial)
    worker = trial.worker()
    original = copies_in_line(trial)
    worker = killed_before_the_payment(trial, worker)
    send(trial, IN_LINE, JULY, original)
    pay_behind(trial, SENTINELS[3])
    trial.require(
        "a copy that meets a new process is recognised",
        paid(trial, IN_LINE) == 2,
        mistake="It forgets with its process what is done",
        happened=f"Subscriber {IN_LINE} has paid {often(paid(trial, IN_LINE))} for two months",
        look="the place where your program writes down that a month is paid",
    )
    killed_after_the_payment(trial, worker)
    copies_at_once(trial)


def copies_in_line(trial: Trial) -> str:
    """Send a charge for July, a copy of it, and a new message with the same content. Then send one for August."""
    original = send(trial, IN_LINE, JULY)
    send(trial, IN_LINE, JULY, original)
    pay_behind(trial, SENTINELS[0])
    trial.require(
        "a copy of the message is not charged again",
        paid(trial, IN_LINE) == 1,
        mistake="A copy of the message is charged again",
        happened=f"the message came twice, and Subscriber {IN_LINE} has paid {often(paid(trial, IN_LINE))} for July",
        look="how a second run could know of the first one",
    )
    send(trial, IN_LINE, JULY)
    pay_behind(trial, SENTINELS[1])
    trial.require(
        "nor is a second message about the same month",
        paid(trial, IN_LINE) == 1,
        mistake="The same order in another message is charged again",
        happened=f"two messages, two ids: Subscriber {IN_LINE} has paid {often(paid(trial, IN_LINE))} for July",
        look="the key of an order: subscriber and month, and not the message's id",
    )
    send(trial, IN_LINE, AUGUST)
    pay_behind(trial, SENTINELS[2])
    trial.require(
        "the next month is paid, too",
        paid(trial, IN_LINE) == 2,
        mistake="Another month is taken for a copy",
        happened=f"Subscriber {IN_LINE} has paid {often(paid(trial, IN_LINE))} for July and August",
        look="the key of an order: subscriber and month",
    )
    return original


def killed_before_the_payment(trial: Trial, worker: Group) -> Group:
    """Kill the worker just before the payment, and return the worker that replaces it."""
    send(trial, KILLED_BEFORE, JULY)
    worker = replaced(trial, worker, before_payment(KILLED_BEFORE))
    pay_behind(trial, SENTINELS[4])
    trial.require(
        "a payment that a crash prevented is made by the next worker",
        paid(trial, KILLED_BEFORE) == 1,
        mistake="It notes as paid what is not paid yet",
        happened=f"the worker was killed before the payment, and Subscriber {KILLED_BEFORE} has paid "
        f"{often(paid(trial, KILLED_BEFORE))} for July",
        look="the state that a crash leaves behind between the note and the payment",
    )
    return worker


def killed_after_the_payment(trial: Trial, worker: Group) -> None:
    """Kill the worker after the payment, before it acknowledges the message."""
    send(trial, KILLED_AFTER, JULY)
    replaced(trial, worker, before_receipt(KILLED_AFTER))
    pay_behind(trial, SENTINELS[5])
    trial.require(
        "a payment that was made before a crash is not made again",
        paid(trial, KILLED_AFTER) == 1,
        mistake="It notes too late that it is paid",
        happened=f"the worker was killed after the payment, and Subscriber {KILLED_AFTER} has paid "
        f"{often(paid(trial, KILLED_AFTER))} for July",
        look="the state that a crash leaves behind between the payment and the note",
    )


def copies_at_once(trial: Trial) -> None:
    """Give each of two workers a copy. Hold the first in the middle until the second cannot go further."""
    stage = trial.stage
    trial.worker()
    begun, ended = stage.count("begins a transaction"), stage.count("ended a transaction")
    send(trial, AT_ONCE, JULY, send(trial, AT_ONCE, JULY))
    trial.until_held(
        before_payment(AT_ONCE), "two workers have a copy each", seconds=SECONDS,
        mistake="A charge is not made", happened=f"no worker took the payment of Subscriber {AT_ONCE}",
        look="the condition under which your program skips a charge",
    )  # fmt: skip
    wait_a_little(trial, lambda: stage.count("begins a transaction") >= begun + 2)
    stage.let_pass(before_payment(AT_ONCE))
    wait_a_little(trial, lambda: stage.count("ended a transaction") >= ended + 2)
    trial.require(
        "of two copies at the same moment one is charged",
        paid(trial, AT_ONCE) == 1,
        mistake="Copies at the same moment are both charged",
        happened=f"two workers had a copy each; Subscriber {AT_ONCE} has paid {often(paid(trial, AT_ONCE))} for July",
        look="the steps that the other copy may make between your question and your payment",
    )


def create(trial: Trial) -> None:
    """Create the tables of subscribers.py."""
    with closing(sqlite3.connect(trial.stage.environment["DATABASE"])) as database, database:
        database.execute("CREATE TABLE subscribers (id INTEGER PRIMARY KEY, balance INTEGER)")
        database.execute("CREATE TABLE charges (subscriber INTEGER, month TEXT, PRIMARY KEY (subscriber, month))")
        for subscriber in (IN_LINE, AT_ONCE, KILLED_AFTER, KILLED_BEFORE, *SENTINELS):
            database.execute("INSERT INTO subscribers VALUES (?, ?)", [subscriber, RICH])


def paid(trial: Trial, subscriber: int) -> int:
    """Return the number of payments that were taken from a subscriber's balance."""
    with closing(sqlite3.connect(trial.stage.environment["DATABASE"], timeout=SECONDS)) as database:
        (balance,) = database.execute("SELECT balance FROM subscribers WHERE id = ?", [subscriber]).fetchone()
    return (RICH - int(balance)) // PRICE


def send(trial: Trial, subscriber: int, month: str, message_id: str = "") -> str:
    """Send a charge. With an earlier message's id it is a copy of that message."""
    return trial.send("charge_subscription", message_id=message_id, subscriber=subscriber, month=month)


def pay_behind(trial: Trial, sentinel: int) -> None:
    """Send a charge behind all others, and wait until it is paid. The worker does one charge at a time."""
    send(trial, sentinel, JULY)
    trial.until(
        lambda: paid(trial, sentinel), "the worker comes to the end of the queue", seconds=SECONDS,
        mistake="A charge is not made", happened=f"Subscriber {sentinel} has paid nothing",
        look="the condition under which your program skips a charge",
    )  # fmt: skip


def replaced(trial: Trial, worker: Group, where: str) -> Group:
    """Kill a worker at the place where it is held, and return the worker that replaces it."""
    trial.until_held(
        where, "the worker is in the middle of a charge", seconds=SECONDS,
        mistake="A charge is not made", happened=f"no worker came to the {where}",
        look="the condition under which your program skips a charge",
    )  # fmt: skip
    trial.kill(worker)
    trial.stage.until(lambda: not trial.consumers(), "the broker has noticed that the worker is gone")
    trial.stage.let_pass(where)
    return trial.worker()


def wait_a_little(trial: Trial, condition: Callable[[], Any]) -> None:
    """Wait for the condition, if the program uses transaction(). Other programs get the whole GRACE time."""
    with suppress(DidNotHappen):
        trial.stage.until(condition, "the other copy has come as far as it can", GRACE)

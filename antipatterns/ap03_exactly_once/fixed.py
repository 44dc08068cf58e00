"""Expecting at-least-once: one transaction writes the charge and its proof, so a second attempt finds the proof."""

import os
import sqlite3

from celery import Celery

from experiments.evidence import hold, note

CHARGE = "UPDATE subscribers SET balance = balance - 100 WHERE id = ?"

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1)


@app.task(bind=True, name="charge_subscription")
def charge_subscription(self, subscriber: int) -> None:
    """Take 100 from the subscriber's balance."""
    database = sqlite3.connect(os.environ["DATABASE"])
    with database:  # one transaction
        if database.execute("INSERT OR IGNORE INTO charges VALUES (?)", [self.request.id]).rowcount:
            database.execute(CHARGE, [subscriber])
            note("charged", subscriber=subscriber)
    hold("after the charge")  # stands for sending the receipt; the worker is killed here

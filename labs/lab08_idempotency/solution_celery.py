"""Lab 8, Idempotency. A message may come twice; a month is paid once."""

import os

from celery import Celery

from labs.lab08_idempotency.subscribers import send_receipt, take_payment, transaction

CLAIM = "INSERT OR IGNORE INTO charges (subscriber, month) VALUES (?, ?)"

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(task_default_queue="posts", task_acks_late=True, task_reject_on_worker_lost=True)


@app.task(name="charge_subscription")
def charge_subscription(subscriber: int, month: str) -> None:
    """Have a subscriber pay for a month, unless they have."""
    with transaction() as database:
        if database.execute(CLAIM, [subscriber, month]).rowcount:
            take_payment(database, subscriber)
    send_receipt(subscriber, month)

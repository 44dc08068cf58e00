"""Lab 8, Idempotency. A message may come twice, but a subscriber pays for a month once."""

import os

from celery import Celery

from labs.lab08_idempotency.subscribers import send_receipt, take_payment, transaction

CLAIM = "INSERT OR IGNORE INTO charges (subscriber, month) VALUES (?, ?)"

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(task_default_queue="posts", task_acks_late=True, task_reject_on_worker_lost=True)


@app.task(name="charge_subscription")
def charge_subscription(subscriber: int, month: str) -> None:
    """Charge a subscriber for a month, unless they have paid for it."""
    with transaction() as database:
        if database.execute(CLAIM, [subscriber, month]).rowcount:
            take_payment(database, subscriber)
    send_receipt(subscriber, month)

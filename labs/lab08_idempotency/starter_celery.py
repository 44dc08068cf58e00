"""Lab 8, Idempotency. A message may come twice, but a subscriber pays for a month once."""

import os

from celery import Celery

from labs.lab08_idempotency.subscribers import send_receipt, take_payment, transaction

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(task_default_queue="posts", task_acks_late=True, task_reject_on_worker_lost=True)


# TODO 1: a subscriber pays for a month once. The message may come several times: the broker or a second click may send
#         it again. The copies may meet different processes, one after the other or at the same moment.
# TODO 2: the worker may be killed anywhere in here. Then the message comes again, and the month is paid in the end.
@app.task(name="charge_subscription")
def charge_subscription(subscriber: int, month: str) -> None:
    """Charge a subscriber for a month."""
    with transaction() as database:
        take_payment(database, subscriber)
    send_receipt(subscriber, month)

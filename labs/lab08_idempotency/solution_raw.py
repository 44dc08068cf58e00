"""Lab 8, Idempotency. A message may come twice, but a subscriber pays for a month once."""

from labs.consuming import Delivery, consume
from labs.lab08_idempotency.subscribers import send_receipt, take_payment, transaction

CLAIM = "INSERT OR IGNORE INTO charges (subscriber, month) VALUES (?, ?)"


def charge_subscription(delivery: Delivery) -> None:
    """Charge a subscriber for a month, unless they have paid for it."""
    subscriber, month = delivery.arguments["subscriber"], delivery.arguments["month"]
    with transaction() as database:
        if database.execute(CLAIM, [subscriber, month]).rowcount:
            take_payment(database, subscriber)
    send_receipt(subscriber, month)
    delivery.ack()


consume("posts", charge_subscription)

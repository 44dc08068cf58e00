"""Lab 8, Idempotency. A message may come twice, but a subscriber pays for a month once."""

from labs.consuming import Delivery, consume
from labs.lab08_idempotency.subscribers import send_receipt, take_payment, transaction


# TODO 1: a subscriber pays for a month once. The message may come several times: the broker or a second click may send
#         it again. The copies may meet different processes, one after the other or at the same moment.
# TODO 2: the worker may be killed anywhere in here. Then the message comes again, and the month is paid in the end.
def charge_subscription(delivery: Delivery) -> None:
    """Charge a subscriber for a month."""
    subscriber, month = delivery.arguments["subscriber"], delivery.arguments["month"]
    with transaction() as database:
        take_payment(database, subscriber)
    send_receipt(subscriber, month)
    delivery.ack()


consume("posts", charge_subscription)

"""Lab 8, Idempotency. A message may come twice; a month is paid once."""

from labs.consuming import Delivery, consume
from labs.lab08_idempotency.subscribers import send_receipt, take_payment, transaction


# TODO 1: a subscriber pays once for a month: however often the message comes, whoever sent it again, in whichever
#         process, one after the other or at the same moment.
# TODO 2: the worker may be killed anywhere in here. Then the message comes again, and the month is paid in the end.
def charge_subscription(delivery: Delivery) -> None:
    """Have a subscriber pay for a month."""
    subscriber, month = delivery.arguments["subscriber"], delivery.arguments["month"]
    with transaction() as database:
        take_payment(database, subscriber)
    send_receipt(subscriber, month)
    delivery.ack()


consume("posts", charge_subscription)

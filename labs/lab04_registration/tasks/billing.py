"""The subscriptions' tasks."""

from celery import shared_task

from labs.lab04_registration import work


@shared_task(name="charge_subscription")
def charge_subscription(customer: str) -> None:
    """Charge a customer for the month."""
    work.charge_subscription(customer)

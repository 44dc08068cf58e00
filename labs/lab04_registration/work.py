"""Work: the three jobs as plain functions, without Celery or pika. Each posts a line to the channel."""

from experiments.messenger import post


def publish_post(text: str) -> None:
    """Publish a post."""
    post(text)


def charge_subscription(customer: str) -> None:
    """Charge a customer for the month."""
    post(f"{customer} is charged")


def sync_sheet(sheet: str) -> None:
    """Bring a sheet up to date."""
    post(f"{sheet} is up to date")

"""The tasks that post into the channel."""

from celery import shared_task

from experiments.messenger import post


@shared_task(name="publish_post")
def publish_post(number: int) -> None:
    """Publish a post in the channel."""
    post(f"Post {number}")

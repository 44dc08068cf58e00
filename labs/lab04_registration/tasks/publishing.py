"""The channel's tasks."""

from celery import shared_task

from labs.lab04_registration import work


@shared_task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post."""
    work.publish_post(text)

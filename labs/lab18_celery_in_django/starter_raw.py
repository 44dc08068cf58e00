"""Lab 18, Celery in Django: apps/assets/management/commands/consume.py of the project, `manage.py consume`."""

from typing import Any

from config.by_hand import JOBS
from django.core.management.base import BaseCommand

from labs.consuming import Delivery, consume


class Command(BaseCommand):
    """Consume."""

    help = "Do the jobs of the queue 'posts', until SIGTERM"

    def handle(self, *_: Any, **__: Any) -> None:
        """Consume."""
        # TODO 1: JOBS has the jobs of every app in INSTALLED_APPS, now and when somebody adds one.
        consume("posts", work)


# TODO 2: no database connection outlives a job. Django ends them at the end of a request, and here is none.
def work(delivery: Delivery) -> None:
    """Do the job that a message asks for; lab 9 says what to do with one that nobody knows."""
    if (job := JOBS.get(delivery.job)) is None:
        print(f"unknown job: {delivery.job}", flush=True)
        delivery.reject()
        return
    job(**delivery.arguments)
    delivery.ack()

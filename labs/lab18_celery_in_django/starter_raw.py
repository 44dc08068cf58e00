"""Lab 18, Celery in Django: apps/assets/management/commands/consume.py of the project, `manage.py consume`."""

from typing import Any

from config.by_hand import JOBS
from django.core.management.base import BaseCommand

from labs.consuming import Delivery, consume


class Command(BaseCommand):
    """Command `manage.py consume`."""

    help = "Do the jobs of the queue 'posts', until SIGTERM"

    def handle(self, *_: Any, **__: Any) -> None:
        """Do jobs until SIGTERM."""
        # TODO 1: JOBS has the jobs of every app in INSTALLED_APPS, also of an app that is added later.
        consume("posts", work)


# TODO 2: no database connection outlives a job. Django closes connections at the end of a request. Here is no request.
def work(delivery: Delivery) -> None:
    """Do the job that a message names. Lab 9 says what to do with a job that nobody knows."""
    if (job := JOBS.get(delivery.job)) is None:
        print(f"unknown job: {delivery.job}", flush=True)
        delivery.reject()
        return
    job(**delivery.arguments)
    delivery.ack()

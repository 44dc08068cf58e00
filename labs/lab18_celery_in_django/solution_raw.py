"""Lab 18, Celery in Django: apps/assets/management/commands/consume.py of the project, `manage.py consume`."""

from typing import Any

from config.by_hand import JOBS
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.utils.module_loading import autodiscover_modules

from labs.consuming import Delivery, consume


class Command(BaseCommand):
    """Command `manage.py consume`."""

    help = "Do the jobs of the queue 'posts', until SIGTERM"

    def handle(self, *_: Any, **__: Any) -> None:
        """Do jobs until SIGTERM."""
        autodiscover_modules("jobs")
        consume("posts", work)


def work(delivery: Delivery) -> None:
    """Do the job that a message names. Lab 9 says what to do with a job that nobody knows."""
    if (job := JOBS.get(delivery.job)) is None:
        print(f"unknown job: {delivery.job}", flush=True)
        delivery.reject()
        return
    close_old_connections()
    try:
        job(**delivery.arguments)
    finally:
        close_old_connections()
    delivery.ack()

"""Lab 18, Celery in Django: config/celery.py of the project."""

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
# TODO 1: the worker knows the tasks of every app in INSTALLED_APPS, now and when somebody adds one.
# TODO 2: write a comment at each line that speaks of Django: what fails without it? Take it out and see.


@app.task(bind=True, ignore_result=True)
def debug_task(self: Any) -> None:
    """Print what the worker knows of this very task."""
    print(f"Request: {self.request!r}")

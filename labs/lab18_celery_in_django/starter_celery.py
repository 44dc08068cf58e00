"""Lab 18, Celery in Django: config/celery.py of the project."""

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("config")
app.config_from_object("django.conf:settings", namespace="CELERY")
# TODO 1: the worker knows the tasks of every app in INSTALLED_APPS, also of an app that is added later.
# TODO 2: write a comment at each line about Django: what fails without it? Take the line out and see.


@app.task(bind=True, ignore_result=True)
def debug_task(self: Any) -> None:
    """Print what the worker knows about this task."""
    print(f"Request: {self.request!r}")

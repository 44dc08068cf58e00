"""Lab 18, Celery in Django: config/celery.py of the project."""

import os
from typing import Any

from celery import Celery

# Before the app: from this variable Celery knows that it is in a Django project, and it looks into the apps.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("config")
# Take the Django settings that begin with CELERY_, without that prefix, as Celery's own.
app.config_from_object("django.conf:settings", namespace="CELERY")
# Import the module `tasks` of each app in INSTALLED_APPS when the worker starts.
app.autodiscover_tasks()


@app.task(bind=True, ignore_result=True)
def debug_task(self: Any) -> None:
    """Print what the worker knows about this task."""
    print(f"Request: {self.request!r}")

"""Lab 18, Celery in Django: config/celery.py of the project."""

import os
from typing import Any

from celery import Celery

# Before the app: by this name Celery sees that it is in a Django project, and looks into its apps.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("config")
# Django's settings that begin with CELERY_, under Celery's own names.
app.config_from_object("django.conf:settings", namespace="CELERY")
# The module `tasks` of each app in INSTALLED_APPS, when the worker starts.
app.autodiscover_tasks()


@app.task(bind=True, ignore_result=True)
def debug_task(self: Any) -> None:
    """Print what the worker knows of this very task."""
    print(f"Request: {self.request!r}")

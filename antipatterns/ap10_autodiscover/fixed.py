"""Autodiscover with a module's name: the app names the module that registers the tasks."""

import os

from celery import Celery

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.autodiscover_tasks(["antipatterns.ap10_autodiscover.jobs"], related_name="tasks.publishing")

"""Autodiscover that is told where to look: the module that registers the tasks is named."""

import os

from celery import Celery

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.autodiscover_tasks(["antipatterns.ap10_autodiscover.jobs"], related_name="tasks.publishing")

"""Autodiscover without imports: Celery imports `jobs.tasks`, and the tasks are one folder deeper."""

import os

from celery import Celery

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.autodiscover_tasks(["antipatterns.ap10_autodiscover.jobs"])  # antipattern: autodiscover

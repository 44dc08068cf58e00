"""Whoever imports Django's settings gets the Celery app too, so that `shared_task` knows it."""

from config.celery import app as celery_app

__all__ = ("celery_app",)

"""Configuration of the project. An import of Django's settings imports the Celery app too, for `shared_task`."""

from config.celery import app as celery_app

__all__ = ("celery_app",)

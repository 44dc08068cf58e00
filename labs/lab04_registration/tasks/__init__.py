"""The jobs as Celery tasks, a module for each kind. Nothing is imported here."""

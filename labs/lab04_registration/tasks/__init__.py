"""The jobs as Celery tasks, a module for each kind. This file imports none of them."""

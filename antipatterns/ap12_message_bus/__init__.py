"""Celery as a message bus."""

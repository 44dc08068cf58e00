"""Celery in Django."""

"""Several Celery() apps."""

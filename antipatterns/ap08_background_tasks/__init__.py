"""BackgroundTasks in place of Celery."""

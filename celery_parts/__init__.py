"""Parts of the Celery lane that Celery itself lacks. Read `celery_app.py` and `celery_tasks.py` first."""

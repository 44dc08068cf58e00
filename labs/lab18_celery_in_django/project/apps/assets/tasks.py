"""Tasks of the app. The module names no Celery app: `shared_task` uses the current one."""

from typing import Any

from celery import shared_task

from apps.assets.work import keep_and_publish


@shared_task
def test_task(message: str) -> str:
    """Process a message."""
    return keep_and_publish(f"Processed: {message}")


@shared_task
def example_async_task(name: str, count: int = 1) -> dict[str, Any]:
    """Do some iterations for a name."""
    results = [keep_and_publish(f"{name} - iteration {number + 1}") for number in range(count)]
    return {"name": name, "count": count, "results": results, "status": "completed"}

"""Jobs that only take time. They show queues, workers and retries, and nothing else disturbs the view."""

import time
from typing import Annotated, Any

from pydantic import Field

from cars_bot.context import Context

Seconds = Annotated[float, Field(ge=0, le=3600)]


def process_task(context: Context, task_num: int, timeout: Seconds, worker_id: str = "worker") -> dict[str, Any]:
    """Work for `timeout` seconds."""
    time.sleep(timeout)
    context.effect("task", context.run_id, {"task_num": task_num, "worker_id": worker_id})
    return {"status": "success", "task_num": task_num}


def process_data(context: Context, data_id: int, seconds: Seconds = 5.0) -> dict[str, Any]:
    """Process one piece of data. It takes 5 seconds by default."""
    time.sleep(seconds)
    context.effect("data", context.run_id, {"data_id": data_id})
    return {"data_id": data_id, "status": "completed", "result": "Data processed successfully"}


def test_task(context: Context, message: str) -> str:
    """Wait two seconds and return the message."""
    time.sleep(2)
    context.effect("message", context.run_id)
    return f"Processed: {message}"


def example_async_task(context: Context, name: str, count: Annotated[int, Field(ge=0, le=300)] = 1) -> dict[str, Any]:
    """Work in `count` steps of one second and list them."""
    results = []
    for step in range(count):
        time.sleep(1)
        results.append(f"{name} - iteration {step + 1}")
    context.effect("steps", context.run_id, {"count": count})
    return {"name": name, "count": count, "results": results, "status": "completed"}


def debug_task(context: Context) -> None:
    """Do nothing. The run's whole time is the cost of the lane itself."""

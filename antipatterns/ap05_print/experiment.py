"""One post is published by a worker that logs everything, and one by a worker that logs errors only."""

from functools import partial

from antipatterns.experiment import Counts, Due
from experiments.stage import Stage

NAME = "print instead of logging"
BROKERS = ("rabbitmq", "redis")
FIGURE = ("messages", "of these with the task's id")  # the value that was due, and the count that came
DUE: dict[str, Due] = {
    "broken": {
        "messages": 2,
        "lines at -l info": 6,
        "of these with the task's id": 0,
        "of these called WARNING": 6,
        "lines at -l error": 0,
    },
    "fixed": {
        "messages": 2,
        "lines at -l info": 2,
        "of these with the task's id": 2,
        "of these called WARNING": 0,
        "lines at -l error": 1,
    },
}


def run(stage: Stage, module: str) -> Counts:
    """Publish a post at each log level, and search the logs for the lines about it."""
    lines: dict[str, list[str]] = {}
    task_id = ""
    for level in ("info", "error"):
        worker = stage.celery(module, "--loglevel", level)
        task_id = stage.send("publish_post", 7)
        stage.until(partial(stage.count, "succeeded", id=task_id), "it is published")
        stage.until(
            lambda: not stage.at_work(), "the broker has the acknowledgement"
        )  # else the next worker does the task again
        stage.kill(worker)
        lines[level] = [line for line in worker.output().splitlines() if is_about_a_post(line)]
        if level == "info":
            named = sum(task_id in line for line in lines["info"])
    return {
        "messages": 2,
        "lines at -l info": len(lines["info"]),
        "of these with the task's id": named,
        "of these called WARNING": sum("WARNING" in line for line in lines["info"]),
        "lines at -l error": len(lines["error"]),
    }


def is_about_a_post(line: str) -> bool:
    """Return whether the task wrote the line or a part of it. The worker's own lines do not count."""
    said = line.rpartition("]")[2].lstrip(": ").strip()
    return said in ("post", "7", "is published", "has no picture") or said.startswith("post 7 ")


def failed(counts: Counts) -> bool:
    """True if no line names the task that wrote it."""
    return counts["of these with the task's id"] == 0


def verdict(counts: Counts) -> str:
    """Return the counts as one sentence."""
    named = counts["of these with the task's id"]
    return (
        f"{counts['messages']} messages made {counts['lines at -l info']} lines, {named} with the task's id, "
        f"{counts['of these called WARNING']} called WARNING; at -l error there were {counts['lines at -l error']}"
    )

"""python -m experiments.celery_program MODULE worker|beat …: the same as `celery -A MODULE …`, with evidence.

Celery's own signals say when a worker is ready and what its tasks do. So an example needs no line of its own for that,
and the experiment watches broken and fixed examples in the same way.
"""

import os
import random
import sys
from importlib import import_module
from typing import Any

from celery import Celery, signals

from experiments.evidence import note


@signals.worker_ready.connect
def _ready(**_: Any) -> None:
    note("worker ready")


@signals.beat_init.connect
def _beats(**_: Any) -> None:
    note("beat ready")


@signals.after_task_publish.connect
def _published(sender: str, headers: dict[str, Any], **_: Any) -> None:
    note("published", task=sender, id=headers["id"])


@signals.task_prerun.connect
def _started(task_id: str, task: Any, args: Any, **_: Any) -> None:
    note("started", task=task.name, id=task_id, arguments=args)


@signals.task_success.connect
def _succeeded(sender: Any, **_: Any) -> None:
    note("succeeded", task=sender.name, id=sender.request.id)


@signals.task_failure.connect
def _failed(task_id: str, exception: BaseException, sender: Any, **_: Any) -> None:
    note("failed", task=sender.name, id=task_id, error=repr(exception))


@signals.task_retry.connect
def _retried(sender: Any, request: Any, reason: Any, **_: Any) -> None:
    note("retry", task=sender.name, id=request.id, error=repr(reason))


@signals.task_unknown.connect
def _unknown(name: str, id: str, **_: Any) -> None:
    note("unknown", task=name, id=id)


def main(module: str, *words: str) -> None:
    """Run a worker or a Beat of the module's `app` in this process."""
    random.seed(os.environ.get("SEED"))  # retries with jitter use these random numbers
    app: Celery = import_module(module).app
    app.start(list(words))


if __name__ == "__main__":
    main(*sys.argv[1:])

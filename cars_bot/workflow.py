"""Workflows: jobs one after the other, with the same arguments. Each step is a run of its own.

    run 1 DONE ──> run 2 accepted, its parent is run 1 ──> run 2 DONE ──> run 3 … the end if a run fails or says stop

All ids are made together with the workflow. So a step that runs twice names the same next run twice. The transaction
that ends a run accepts the next one (`run_store/in_database.py`). So nothing can get lost between two steps. Each lane
sends the next run in its own way. The Celery lane sends a chain. On the raw lane, a message names the steps that
follow.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from cars_bot.catalogue import WORKFLOWS, job_named
from cars_bot.context import Step
from cars_bot.runs import Run, new_id


# feature: workflow
def plan(name: str, priority: int = 0) -> list[Step]:
    """Return the steps of the workflow called `name`. A single job is a workflow of one step.

    Raises:
        UnknownJob: no workflow and no job has that name.
    """
    return [Step(job_named(job).name, new_id(), priority) for job in WORKFLOWS.get(name, (name,))]


def after(run: Run) -> list[Step]:
    """Return the steps that follow a run in its workflow, from its row."""
    return [Step(*step) for step in run.steps or ()]


def again(steps: Iterable[Step]) -> list[Step]:
    """Return the same steps with new run ids."""
    return [step._replace(run_id=new_id()) for step in steps]


def from_message(value: Any) -> list[Step]:
    """Return the steps in a message. Anybody may have written the message. None or an empty list: no steps.

    Raises:
        ValueError, TypeError: the value is not a list of steps.
        UnknownJob: a step's job is not in the catalogue.
    """
    return [Step(job_named(job).name, str(uuid.UUID(run_id)), int(priority)) for job, run_id, priority in value or ()]


def to_message(steps: Iterable[Step]) -> list[list[Any]] | None:
    """Return the steps as a message carries them, for `from_message`."""
    return [list(step) for step in steps] or None


# end

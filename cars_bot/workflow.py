"""Workflows: jobs one after the other, each a run of its own, all given the same arguments.

    run 1 DONE ──> run 2 accepted, its parent is run 1 ──> run 2 DONE ──> run 3 … and no further when one fails or stops

All ids are made when the workflow is: a step that is carried out twice names the same next run twice. That run is
accepted by the transaction that ends the run before it (`book.py`), so between two steps there is nothing to
lose. How it gets to a worker is the lanes' business: the Celery lane sends a chain, the raw lane's messages name the
steps that are left.
"""

import uuid
from collections.abc import Iterable
from typing import Any

from cars_bot.catalogue import WORKFLOWS, job_named
from cars_bot.context import Step
from cars_bot.runs import Run, new_id


# feature: workflow
def plan(name: str, priority: int = 0) -> list[Step]:
    """The steps of the workflow called `name`; a job by itself is a workflow of one step.

    Raises:
        UnknownJob: there is neither.
    """
    return [Step(job_named(job).name, new_id(), priority) for job in WORKFLOWS.get(name, (name,))]


def after(run: Run) -> list[Step]:
    """The steps that follow a run in its workflow, by its row."""
    return [Step(*step) for step in run.steps or ()]


def again(steps: Iterable[Step]) -> list[Step]:
    """The same steps as runs that have not been yet."""
    return [step._replace(run_id=new_id()) for step in steps]


def read(told: Any) -> list[Step]:
    """The steps that a message names, which may be anybody's; None or nothing: there are none.

    Raises:
        ValueError, TypeError: these are no steps.
        UnknownJob: a step's job is not in the catalogue.
    """
    return [Step(job_named(job).name, str(uuid.UUID(run_id)), int(priority)) for job, run_id, priority in told or ()]


def told(steps: Iterable[Step]) -> list[list[Any]] | None:
    """What a message says of steps, for `read`."""
    return [list(step) for step in steps] or None


# end

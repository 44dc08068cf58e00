"""Inline lane: a run is executed inside its own HTTP request."""

from threading import Lock

from cars_bot import clients, database, execution, runs, workflow
from cars_bot.context import Delivery
from cars_bot.database import run_lists
from cars_bot.outcome import Retry, Wait
from cars_bot.run_store import ending

INLINE_SECONDS = 7_200.0  # no process kills a job inside a request; after this time the job counts as lost

_importing = Lock()


def execute(run_id: str) -> None:
    """Execute a run of the inline lane now, and then the runs that it asks for.

    There is only one attempt. A wait for a retry would keep the request open, and later no process could retry it.
    """
    with _importing:
        clients.preload("inline")  # an import in two threads at the same time can fail in both
    with database.statements() as connection:
        run = runs.find(connection, run_id)
    if run is None:
        return
    delivery = Delivery(run.id, run.job, run.args, "inline", steps=workflow.after(run), limit=INLINE_SECONDS)
    match execution.execute(delivery, worker="api"):
        case Retry(_, why) | Wait(_, why):
            ending.end_from_outside(run.id, "inline", f"{why}; the inline lane does not retry", "api")
    with database.statements() as connection:
        following = run_lists.page(connection, parent=run_id, state="PENDING", limit=100)
    for next_run in reversed(following):
        execute(next_run.id)

"""Replay and discard: the two ways to take a letter out of its queue.

An ended run stays as it is, so the same message is not sent again. A replay accepts a new run of the same job with the
same arguments. The old run is its parent, and the remaining steps of a workflow come after it.

The letter leaves the queue only after the new run is durable. A crash in between leaves the letter in its queue. The
next replay of that letter finds the new run and makes no second one.
"""

from collections.abc import Callable

from sqlalchemy import select

from api.dead_letters.letter_queue import go_through
from api.dead_letters.letters import Letter, Unreadable
from cars_bot import database, ledger, runs, workflow
from cars_bot.catalogue import job_named
from cars_bot.database.models import idempotency_keys
from cars_bot.errors import InvalidArguments, UnknownJob
from cars_bot.processes import clock
from cars_bot.processes.crash import crash_point

Wanted = Callable[[Letter], bool]


# feature: dead letters with replay


def discard(lane: str, wanted: Wanted) -> list[Letter]:
    """Remove the letters that are `wanted`, and return them."""
    gone: list[Letter] = []

    def throw(letter: Letter) -> bool:
        if wanted(letter):
            gone.append(letter)
        return wanted(letter)

    go_through(lane, throw)
    return gone


def replay(lane: str, wanted: Wanted) -> tuple[dict[str, str], dict[str, str]]:
    """Accept a new run for each letter that is `wanted`, and remove the letter.

    Returns:
        the id of the new run for each replayed letter, and the reason for each letter that stays; both by letter id.
    """
    accepted: dict[str, str] = {}
    refused: dict[str, str] = {}

    def again(letter: Letter) -> bool:
        if not wanted(letter):
            return False
        try:
            accepted[letter.id] = _accept_again(letter)
        except (Unreadable, UnknownJob, InvalidArguments) as error:
            refused[letter.id] = str(error)
            return False
        crash_point("after-replay")
        return True

    go_through(lane, again)
    return accepted, refused


def _accept_again(letter: Letter) -> str:
    """Accept a new run and store its id under the letter's key, in one transaction. A copy of the letter finds it."""
    if letter.args is None:
        raise Unreadable(letter.reason)
    job = job_named(letter.job or "")
    key, new_id = f"dead-letter:{letter.lane}:{letter.run_id}", runs.new_id()
    row = {"key": key, "body_hash": "", "reply": new_id, "created_at": clock.now()}
    with database.writing() as connection:
        if not database.insert_if_new(connection, idempotency_keys, row):
            return str(connection.execute(select(idempotency_keys.c.reply).filter_by(key=key)).scalar_one())
        old = runs.find(connection, letter.run_id) if letter.run_id else None
        if old is not None and old.finished_at is None:
            raise Unreadable(f"its run {old.id} is {old.state} and goes on by itself; cancel it first, or wait")
        runs.accept(
            connection, job, letter.lane, letter.args,
            priority=min(letter.properties.priority or 0, job.queue.max_priority),
            parent=letter.run_id, run_id=new_id, steps=workflow.again(workflow.after(old) if old else ()),
        )  # fmt: skip
    ledger.record("accepted", new_id, letter.lane, detail=f"replayed from {letter.run_id}")
    return new_id


# end

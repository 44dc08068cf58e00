"""Ending: ends runs from outside their attempt, after a killed child or a message that no worker can use."""

import logging
import re
from typing import Any

from cars_bot import ledger
from cars_bot.boundary.outside import clean
from cars_bot.errors import StorageUnavailable
from cars_bot.outcome import PutAside, Wait
from cars_bot.run_store.in_database import DATABASE_STORE
from cars_bot.run_store.protocol import RunStore

log = logging.getLogger(__name__)

WAIT_FOR_STORAGE = 2.0  # seconds until a delivery comes again if the database could not be used
MAX_ERROR = 4_000  # characters

_IS_ID = re.compile(r"[\x21-\x7e]{1,36}")


def end_from_outside(run_id: str, lane: str, error: str, worker: str, store: RunStore = DATABASE_STORE) -> bool:
    """End a run as FAILED if its own process cannot, because it was killed at the hard limit.

    Returns:
        True if the run was ended. False: it had ended before, or there is no such run.

    Raises:
        StorageUnavailable: the end could not be recorded.
    """
    ended = store.fail(run_id, error)
    if ended:
        ledger.record("failed", run_id, lane, worker=worker, detail=error)
    return ended


def put_aside(
    run_id: Any, lane: str, why: str, worker: str, store: RunStore = DATABASE_STORE, holder: str | None = None
) -> PutAside | Wait:
    """End the open run of a message that no worker can use. Return the message's outcome and never raise.

    Nobody knows who wrote the message. So a run of another lane stays as it is, and so does a run at work.

    Args:
        run_id: the id in the message; it may be any value.
        holder: a process that does not work on the run, although it may hold the run.
    """
    why = clean(why[:MAX_ERROR])
    error = f"its message was put aside: {why}"
    try:
        if isinstance(run_id, str) and _IS_ID.fullmatch(run_id) and store.fail_waiting(run_id, lane, error, holder):
            ledger.record("failed", run_id, lane, worker=worker, detail=error)
    except StorageUnavailable as away:
        return Wait(WAIT_FOR_STORAGE, str(away))
    except Exception:
        log.exception("the run of message %s is left as it is", run_id)
    return PutAside(why)

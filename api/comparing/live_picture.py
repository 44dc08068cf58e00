"""Live picture: the picture of a comparison that has not ended. It is made at most once a second, for all pages."""

import threading
import time

from pydantic_core import to_json

from api.comparing.observation import Observation
from cars_bot.comparisons.gather import gather
from cars_bot.comparisons.picture import picture
from cars_bot.comparisons.rows import Comparison

MAX_AGE = 1.0  # seconds, unless the picture takes long to make
SHARE = 5  # at most a fifth of the time goes into pictures

_drawing = threading.Lock()
_last: tuple[str, bytes, float] = ("", b"", 0.0)  # the comparison, its picture, and how long the picture is good


def kept(comparison_id: str) -> bytes | None:
    """Return the picture that was made a moment ago, or None. It reads nothing and waits for nobody."""
    its_id, made, valid_until = _last
    return made if its_id == comparison_id and time.monotonic() < valid_until else None


def draw(comparison: Comparison, observation: Observation | None) -> bytes:
    """Return the picture of a comparison as JSON, with its state and the number of its jobs that have ended.

    One thread makes it, and the others wait for it.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    global _last
    with _drawing:
        if (made := kept(comparison.id)) is not None:
            return made
        began = time.monotonic()
        record = observation.so_far(comparison) if observation else gather(comparison, [], {})
        ended = sum(run["submission"] == run["id"] and run["finished_at"] is not None for run in record.runs)
        made = to_json({"state": comparison.state, "ended_jobs": ended, **picture(record)})
        _last = (comparison.id, made, began + max(MAX_AGE, SHARE * (time.monotonic() - began)))
        return made

"""Dead letters as answers: the list of each lane, and one whole letter."""

import base64
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.dead_letters import letter_queue
from api.dead_letters.letters import Letter
from api.errors import Refused
from cars_bot import database, runs

BODY_SHOWN = 20_000  # bytes of a body
SAYS_NOTHING = ("rejected", "unknown")  # for these reasons the run's error is shown instead

Lane = Literal["celery", "raw"]


class LetterShown(BaseModel):
    """A dead letter, as far as it can be read."""

    id: str = Field(description="The id of its run, or a hash if the letter cannot be read.")
    lane: str
    run: str | None
    job: str | None
    queue: str
    reason: str
    retries: int
    died_at: float | None = Field(description="Seconds since 1970, or null if unknown.")
    args: dict[str, Any] | None = Field(description="By name; null if they cannot be read.")
    replayable: bool


class Letters(BaseModel):
    """The oldest letters of each lane. `notes` has the reason for each lane whose letters are unknown."""

    letters: list[LetterShown]
    totals: dict[str, int | None]
    notes: dict[str, str]


class WholeLetter(LetterShown):
    """A letter with everything that its message holds."""

    headers: dict[str, Any]
    properties: dict[str, Any]
    body_bytes: int
    body: str = Field(description=f"The first {BODY_SHOWN:,} bytes.")
    encoding: Literal["text", "base64"]


def oldest(lane: Lane | None, limit: int) -> Letters:
    """Return the `limit` oldest letters of `lane`, or of both lanes. A broker without an answer leads to a note."""
    found = Letters(letters=[], totals={}, notes={})
    for each in letter_queue.QUEUES if lane is None else [lane]:
        try:
            letters, found.totals[each] = letter_queue.first(each, limit)
        except Refused as refusal:
            found.totals[each], found.notes[each] = None, refusal.message
        else:
            found.letters += shown(letters)
    return found


def whole(lane: Lane, letter_id: str) -> WholeLetter:
    """Return one letter with its whole message.

    Raises:
        Refused: the lane has no such letter (404).
    """
    letter = letter_queue.find(lane, letter_id)
    if letter is None:
        where = f"GET /api/dead-letters?lane={lane} lists the letters"
        raise Refused(404, "unknown_letter", f"{lane} has no dead letter {letter_id[:60]!r}; {where}")
    (short,) = shown([letter])
    return WholeLetter(**short.model_dump(), **contents(letter))


def shown(letters: list[Letter]) -> list[LetterShown]:
    """Return letters as answers. The run fills in the facts that a message lacks."""
    with database.statements() as connection:
        rows = {letter.run_id: runs.find(connection, letter.run_id) for letter in letters if letter.run_id}
    return [shown_with(letter, rows.get(letter.run_id or "")) for letter in letters]


def shown_with(letter: Letter, run: runs.Run | None) -> LetterShown:
    """Return a letter as an answer, completed from its run if there is one."""
    reason = run.error if run is not None and run.error and letter.reason in SAYS_NOTHING else letter.reason
    return LetterShown(
        id=letter.id,
        lane=letter.lane,
        run=letter.run_id,
        job=letter.job,
        queue=letter.queue,
        reason=reason,
        retries=letter.retries,
        died_at=letter.died_at or (run.finished_at if run is not None else None),
        args=letter.args,
        replayable=letter.args is not None,
    )


def contents(letter: Letter) -> dict[str, Any]:
    """Return everything that a letter's message holds, as JSON values."""
    part = letter.body[:BODY_SHOWN]
    try:
        body, encoding = part.decode(), "text"
    except UnicodeDecodeError:
        body, encoding = base64.b64encode(part).decode(), "base64"
    properties = {name: value for name, value in vars(letter.properties).items() if value is not None}
    headers = properties.pop("headers", {})
    return {
        "headers": _plain(headers),
        "properties": _plain(properties),
        "body_bytes": len(letter.body),
        "body": body,
        "encoding": encoding,
    }


def _plain(value: Any) -> Any:
    """Return a value of the headers as a JSON value. A foreign program can put any type into them."""
    kinds: dict[type, Callable[[Any], Any]] = {
        dict: lambda of: {str(key): _plain(each) for key, each in of.items()},
        list: lambda of: [_plain(each) for each in of],
    }
    if type(value) in kinds:
        return kinds[type(value)](value)
    return value if isinstance(value, bool | int | str) or value is None else str(value)

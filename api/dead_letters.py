"""The dead letters of both lanes over HTTP: list, read, replay, discard. `letter_queue.py` does it.

curl 'localhost:8080/api/dead-letters?lane=raw'
curl --json '{"lane": "raw", "runs": ["<id>"]}' localhost:8080/api/dead-letters/replay
"""

import base64
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api import letter_queue, relay
from api.errors import Refused, problems
from api.letters import Letter
from api.schemas import Id
from cars_bot import database, runs

MAX_PAGE = 200
BODY_SHOWN = 20_000  # bytes of a body

router = APIRouter(prefix="/api/dead-letters", tags=["dead letters"])

Lane = Literal["celery", "raw"]
SAYS_NOTHING = ("rejected", "unknown")  # reasons that the run's own error says better


class LetterShown(BaseModel):
    """A dead letter, as far as it can be read."""

    id: str = Field(description="Its run's id, or a hash if it names no run.")
    lane: str
    run: str | None
    job: str | None
    queue: str
    reason: str
    retries: int
    died_at: float | None = Field(description="Seconds since 1970, if it is known.")
    args: dict[str, Any] | None = Field(description="By name; null if they cannot be read.")
    replayable: bool


class Letters(BaseModel):
    """The oldest letters of each lane asked for. `notes` says of a lane why nothing is known of it."""

    letters: list[LetterShown]
    totals: dict[str, int | None]
    notes: dict[str, str]


class WholeLetter(LetterShown):
    """A letter with all that its message holds."""

    headers: dict[str, Any]
    properties: dict[str, Any]
    body_bytes: int
    body: str = Field(description=f"The first {BODY_SHOWN:,} bytes.")
    encoding: Literal["text", "base64"]


class Wanted(BaseModel):
    """Which letters: by their ids, or all of a lane."""

    lane: Lane
    runs: list[Id] = Field(default=[], max_length=1_000, description="Ids as the list shows them.")
    all: bool = False

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"lane": "raw", "all": True}]})

    @model_validator(mode="after")
    def one_or_the_other(self) -> "Wanted":
        """Nobody shall throw everything away because a list came out empty."""
        if bool(self.runs) == self.all:
            raise ValueError('give either "runs": [ids] or "all": true')
        return self

    def __call__(self, letter: Letter) -> bool:
        return self.all or letter.id in self.runs


class Replayed(BaseModel):
    """`replayed`: each letter's new run. `refused`: why a letter made none and stays. `missing`: no such letter."""

    replayed: dict[str, str]
    refused: dict[str, str]
    missing: list[str]


class Discarded(BaseModel):
    """`discarded`: the letters that are gone. `missing`: there was no such letter."""

    discarded: list[str]
    missing: list[str]


@router.get("", summary="List the dead letters", responses=problems(422))
def list_letters(
    lane: Annotated[Lane | None, Query(description="Both, if it is left out.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Letters of each lane.")] = 50,
) -> Letters:
    """Messages that nobody will try again, oldest first. A lane whose broker cannot be asked has null as its total."""
    found = Letters(letters=[], totals={}, notes={})
    for each in letter_queue.QUEUES if lane is None else [lane]:
        try:
            letters, found.totals[each] = letter_queue.first(each, limit)
        except Refused as refusal:
            found.totals[each], found.notes[each] = None, refusal.message
        else:
            found.letters += shown(letters)
    return found


@router.get("/{letter_id}", summary="Read a dead letter", responses=problems(404, 409, 422, 503))
def show_letter(letter_id: Annotated[str, Path(description="As the list shows it.")], lane: Lane) -> WholeLetter:
    """All that one message holds, also if it cannot be decoded."""
    letter = letter_queue.find(lane, letter_id)
    if letter is None:
        where = f"GET /api/dead-letters?lane={lane} lists those there are"
        raise Refused(404, "unknown_letter", f"{lane} has no dead letter {letter_id[:60]!r}; {where}")
    (short,) = shown([letter])
    return WholeLetter(**short.model_dump(), **contents(letter))


@router.post("/replay", summary="Run dead letters again", responses=problems(400, 409, 415, 422, 503))
def replay_letters(wanted: Wanted) -> Replayed:
    """Accept a new run for each, with the old one as its parent. The letter goes when that is durable.

    A letter is replayed once: its copy, or a second request after a crash, finds the run that was made for it.
    """
    replayed, refused = letter_queue.replay(wanted.lane, wanted)
    relay.wake(wanted.lane)
    return Replayed(replayed=replayed, refused=refused, missing=_missing(wanted, [*replayed, *refused]))


@router.post("/discard", summary="Throw dead letters away", responses=problems(400, 409, 415, 422, 503))
def discard_letters(wanted: Wanted) -> Discarded:
    """Take letters off for good. Their runs stay as they are."""
    gone = [letter.id for letter in letter_queue.discard(wanted.lane, wanted)]
    return Discarded(discarded=gone, missing=_missing(wanted, gone))


def _missing(wanted: Wanted, found: Iterable[str]) -> list[str]:
    there = set(found)
    return [letter_id for letter_id in wanted.runs if letter_id not in there]


def shown(letters: list[Letter]) -> list[LetterShown]:
    """Letters as they are answered: what the message leaves open is filled in from its run."""
    with database.statements() as connection:
        rows = {letter.run_id: runs.find(connection, letter.run_id) for letter in letters if letter.run_id}
    return [shown_with(letter, rows.get(letter.run_id or "")) for letter in letters]


def shown_with(letter: Letter, run: runs.Run | None) -> LetterShown:
    """A letter as it is answered, with its run if there is one."""
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
    """All that a letter's message holds, in JSON's words."""
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
    """A value from a message's headers as JSON can hold it: a stranger may have put anything into them."""
    kinds: dict[type, Callable[[Any], Any]] = {
        dict: lambda of: {str(key): _plain(each) for key, each in of.items()},
        list: lambda of: [_plain(each) for each in of],
    }
    if type(value) in kinds:
        return kinds[type(value)](value)
    return value if isinstance(value, bool | int | str) or value is None else str(value)

"""/api/dead-letters: list, read, replay and discard the dead letters of both lanes.

curl 'localhost:8080/api/dead-letters?lane=raw'
curl --json '{"lane": "raw", "runs": ["<id>"]}' localhost:8080/api/dead-letters/replay
"""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.dead_letters import listing, replay
from api.dead_letters.letters import Letter
from api.dead_letters.listing import Lane, Letters, WholeLetter
from api.errors import problems
from api.publishing import relay
from api.schemas import Id

MAX_PAGE = 200

router = APIRouter(prefix="/api/dead-letters", tags=["dead letters"])


class Wanted(BaseModel):
    """The chosen letters: those with the given ids, or all of a lane."""

    lane: Lane
    runs: list[Id] = Field(default=[], max_length=1_000, description="Ids as the list shows them.")
    all: bool = False

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"lane": "raw", "all": True}]})

    @model_validator(mode="after")
    def one_or_the_other(self) -> "Wanted":
        """Refuse an empty list of ids: it must not mean all letters."""
        if bool(self.runs) == self.all:
            raise ValueError('choose letters with either "runs": [ids] or "all": true')
        return self

    def __call__(self, letter: Letter) -> bool:
        return self.all or letter.id in self.runs


class Replayed(BaseModel):
    """`replayed`: the new run of each letter. `refused`: the reason why a letter stays. `missing`: ids of no letter."""

    replayed: dict[str, str]
    refused: dict[str, str]
    missing: list[str]


class Discarded(BaseModel):
    """`discarded`: the removed letters. `missing`: ids of no letter."""

    discarded: list[str]
    missing: list[str]


@router.get("", summary="List the dead letters", responses=problems(422))
def list_letters(
    lane: Annotated[Lane | None, Query(description="Both lanes if it is left out.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Letters of each lane.")] = 50,
) -> Letters:
    """Return the messages that no worker will try again, oldest first. A total is null if its broker is away."""
    return listing.oldest(lane, limit)


@router.get("/{letter_id}", summary="Read a dead letter", responses=problems(404, 409, 422, 503))
def show_letter(letter_id: Annotated[str, Path(description="As the list shows it.")], lane: Lane) -> WholeLetter:
    """Return everything that one message holds, even if it cannot be decoded."""
    return listing.whole(lane, letter_id)


@router.post("/replay", summary="Run dead letters again", responses=problems(400, 409, 415, 422, 503))
def replay_letters(wanted: Wanted) -> Replayed:
    """Accept a new run for each letter, with the old run as its parent. The letter goes when the new run is durable.

    A letter is replayed once. A copy of it, or a second request after a crash, finds the run that was made for it.
    """
    replayed, refused = replay.replay(wanted.lane, wanted)
    relay.wake(wanted.lane)
    return Replayed(replayed=replayed, refused=refused, missing=_missing(wanted, [*replayed, *refused]))


@router.post("/discard", summary="Throw dead letters away", responses=problems(400, 409, 415, 422, 503))
def discard_letters(wanted: Wanted) -> Discarded:
    """Remove letters for good. Their runs stay as they are."""
    gone = [letter.id for letter in replay.discard(wanted.lane, wanted)]
    return Discarded(discarded=gone, missing=_missing(wanted, gone))


def _missing(wanted: Wanted, found: Iterable[str]) -> list[str]:
    there = set(found)
    return [letter_id for letter_id in wanted.runs if letter_id not in there]

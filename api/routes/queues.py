"""GET /api/queues and /api/summary: the number of messages that wait, and the number of runs in each state."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.errors import problems
from api.publishing import queue_depths
from api.schemas import Id
from cars_bot import database
from cars_bot.database import run_counts

router = APIRouter(prefix="/api", tags=["counts"])


class Choice(BaseModel):
    """The runs to count."""

    ids: list[Id] | None = Field(default=None, max_length=20_000, description="null: all runs.")

    model_config = ConfigDict(extra="forbid")


@router.get("/summary", summary="Count all runs", responses=problems(503))
def summarise() -> dict[str, dict[str, int]]:
    """Count all runs per lane and state, and the effects that happened more than once."""
    with database.statements() as connection:
        return run_counts.summary(connection)


@router.post("/summary", summary="Count some runs", responses=problems(400, 413, 415, 422, 503))
def summarise_some(choice: Choice) -> dict[str, dict[str, int]]:
    """Count some runs only, in the same shape."""
    with database.statements() as connection:
        return run_counts.summary(connection, choice.ids)


@router.get("/queues", summary="Show the queue depths")
async def show_queues() -> dict[str, dict[str, int | None]]:
    """Return the waiting messages per lane and queue, as the brokers count them; null if a broker does not answer."""
    return await queue_depths.ask()

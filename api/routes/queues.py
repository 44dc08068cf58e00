"""GET /api/queues and /api/summary: how many messages wait, and how many runs are in each state."""

from fastapi import APIRouter

from api.errors import problems
from api.publishing import depths
from api.schemas import Choice
from cars_bot import database
from cars_bot.database import run_lists

router = APIRouter(prefix="/api", tags=["counts"])


@router.get("/summary", summary="Count all runs", responses=problems(503))
def summarise() -> dict[str, dict[str, int]]:
    """Count all runs per lane and state, and the effects that happened more than once."""
    with database.statements() as connection:
        return run_lists.summary(connection)


@router.post("/summary", summary="Count some runs", responses=problems(400, 413, 415, 422, 503))
def summarise_some(choice: Choice) -> dict[str, dict[str, int]]:
    """The same for some runs only."""
    with database.statements() as connection:
        return run_lists.summary(connection, choice.ids)


@router.get("/queues", summary="Show how much waits")
async def show_queues() -> dict[str, dict[str, int | None]]:
    """Messages waiting per lane and queue, as the brokers say; null where one does not answer."""
    return await depths.ask()

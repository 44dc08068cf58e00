"""Comparisons over HTTP: start one, look at one, list them, export a record."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.comparing import conductor, live_picture
from api.controls import require_token
from api.errors import Refused, problems
from cars_bot.comparisons import archive, record, rows, submissions
from cars_bot.comparisons.for_people.beside import beside
from cars_bot.comparisons.for_people.command_line import command
from cars_bot.comparisons.presets import PRESETS
from cars_bot.comparisons.request import ComparisonRequest, checked
from cars_bot.errors import CarsBotError

router = APIRouter(prefix="/api", tags=["comparisons"])
ID = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class ComparisonShown(BaseModel):
    """A comparison. Times are seconds since 1970, UTC. `result` is null until it has ended."""

    id: str
    state: Literal["WAITING", "RUNNING", "ENDED"]
    request: ComparisonRequest
    created_at: float
    started_at: float | None
    ended_at: float | None
    stopped_at: float | None = Field(description="When a person asked for its end.")
    submitted: int = Field(description="Jobs that were submitted on each lane so far.")
    ended: int | None = Field(default=None, description="Jobs that have ended, on all lanes together.")
    marks: list[dict[str, Any]] = Field(description="The faults that were caused, each with its moment.")
    result: dict[str, Any] | None = Field(default=None, description="The figures of each lane, from the record.")
    url: str

    model_config = ConfigDict(from_attributes=True)


class ComparisonList(BaseModel):
    """The newest comparisons, newest first."""

    comparisons: list[ComparisonShown]


class PresetShown(BaseModel):
    """A prepared comparison, with a sentence on what to watch and one on what to expect."""

    request: ComparisonRequest
    watch: str
    expect: str


class PresetList(BaseModel):
    """The presets by name."""

    presets: dict[str, PresetShown]


class CommandShown(BaseModel):
    """The command line that asks for a comparison. It is null if there is none, and `message` says why."""

    command: str | None = None
    message: str | None = None


class BesideShown(BaseModel):
    """Two ended comparisons, a and b."""

    sides: list[dict[str, Any]] = Field(description="Id, name, verdict and start of a and b.")
    differences: list[dict[str, Any]] = Field(description="Each condition that is not the same, and its two values.")
    lanes: list[str]
    figures: list[dict[str, Any]] = Field(description="Each figure: for each lane a's value, b's value, b minus a.")


@router.post("/comparisons", status_code=202, summary="Start a comparison",
             responses=problems(400, 403, 415, 422, 503))  # fmt: skip
async def start(request: ComparisonRequest, http: Request) -> ComparisonShown:
    """Start a comparison: the same jobs go down each lane at the same moments. It waits for earlier ones to end."""
    if request.conditions:
        require_token(http.headers)
    made = await run_in_threadpool(_create, request)
    conductor.wake()
    return _shown(made)


def _create(request: ComparisonRequest) -> rows.Comparison:
    submissions.try_out(request)  # an argument that does not fit is refused now
    return rows.create(request)


@router.post("/comparisons/command", summary="Get the command that starts the same comparison")
def show_command(request: dict[str, Any]) -> CommandShown:
    """Get the `./kit compare` that asks for the same, or the reason of a refusal. Nothing is started."""
    try:
        wanted = checked(request)
        submissions.try_out(wanted)
    except CarsBotError as error:
        return CommandShown(message=str(error))
    if (found := command(wanted)) is None:
        return CommandShown(message="the arguments are too long for a command line; use the API instead")
    return CommandShown(command=found)


@router.get("/comparisons", summary="List comparisons", responses=problems(503))
async def list_comparisons() -> ComparisonList:
    """List the newest comparisons, without their results."""
    found = await run_in_threadpool(rows.newest)
    return ComparisonList(comparisons=[_shown(each) for each in found])


@router.get("/comparisons/presets", summary="List the presets")
async def presets() -> PresetList:
    """List prepared comparisons that each teach one thing. Send a preset's `request` to start it."""
    return PresetList(presets={name: PresetShown(**preset._asdict()) for name, preset in PRESETS.items()})


@router.get("/comparisons/{comparison_id}", summary="Look at a comparison", responses=problems(404, 422, 503))
async def look(comparison_id: ID) -> ComparisonShown:
    """Look at a comparison. Once it has ended, the result comes from its record."""
    found = await run_in_threadpool(_existing, comparison_id)
    shown = _shown(found)
    shown.ended = await run_in_threadpool(rows.ended_submissions, found.id)
    if found.state == "ENDED":
        shown.result = await run_in_threadpool(record.result, record.folder_of(found.id))
    return shown


@router.post("/comparisons/{comparison_id}/stop", status_code=202, summary="Stop a comparison",
             responses=problems(404, 422, 503))  # fmt: skip
async def stop(comparison_id: ID) -> ComparisonShown:
    """Stop a comparison: its open runs are revoked, and its record is written. One that has ended stays as it is."""
    await run_in_threadpool(_existing, comparison_id)
    await run_in_threadpool(rows.stop, comparison_id)
    conductor.wake()
    return await look(comparison_id)


@router.get("/comparisons/{comparison_id}/archive", summary="Get a comparison's record as a ZIP file",
            responses=problems(404, 422, 503), response_class=Response)  # fmt: skip
async def get_archive(comparison_id: ID) -> Response:
    """Get the record of an ended comparison as one file. `./kit comparisons import` takes it over elsewhere."""
    await run_in_threadpool(_existing, comparison_id)
    packed = await run_in_threadpool(archive.pack, comparison_id)
    name = f'attachment; filename="comparison-{comparison_id}.zip"'
    return Response(packed, media_type="application/zip", headers={"Content-Disposition": name})


@router.delete("/comparisons/{comparison_id}", summary="Delete a comparison", status_code=204,
               responses=problems(404, 422, 503), response_class=Response)  # fmt: skip
async def delete(comparison_id: ID) -> Response:
    """Delete an ended comparison and its record. Its runs stay in the list of runs."""
    await run_in_threadpool(_existing, comparison_id)
    await run_in_threadpool(archive.delete, comparison_id)
    return Response(status_code=204)


@router.get("/comparisons/{comparison_id}/picture", summary="Get the picture of a comparison",
            responses=problems(404, 422, 503), response_class=Response)  # fmt: skip
async def show_picture(comparison_id: ID) -> Response:
    """Get every attempt of a comparison as a bar, for drawing.

    Until the comparison has ended, its state and the number of its ended jobs are there too. A picture is kept for a
    second.
    """
    drawn = live_picture.kept(comparison_id) or await run_in_threadpool(_picture, comparison_id)
    return Response(drawn, media_type="application/json")


@router.get("/comparisons/{comparison_id}/beside/{other_id}", summary="Lay two comparisons beside each other",
            responses=problems(422, 503))  # fmt: skip
def lay_beside(comparison_id: str, other_id: str) -> BesideShown:
    """Lay two ended comparisons beside each other: what differs in their conditions, and each figure of both."""
    return BesideShown.model_validate(beside(comparison_id, other_id))


def _existing(comparison_id: str) -> rows.Comparison:
    found = rows.find(comparison_id)
    if found is None:
        raise Refused(404, "unknown_comparison", "there is no such comparison; GET /api/comparisons lists them")
    return found


def _picture(comparison_id: str) -> bytes:
    found = _existing(comparison_id)
    if found.state == "ENDED":
        return record.picture(record.folder_of(found.id))
    return live_picture.draw(found, conductor.observation())


def _shown(comparison: rows.Comparison) -> ComparisonShown:
    return ComparisonShown.model_validate({**vars(comparison), "url": f"/api/comparisons/{comparison.id}"})

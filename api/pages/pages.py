"""Pages for people: the lanes at `/`, a run at `/runs/{id}`, dead letters, the lanes' code at `/parity`, `/docs`.

The server renders each page completely, so it can be read without scripts. The scripts in `static/` then keep it up to
date.
"""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from api.dead_letters import listing
from api.errors import Refused
from api.live import counters, live_queries, timeline, unread_queues
from api.pages import display, forms, journey, parity, timeline_strip, wire
from api.pages.rendering import HERE, render
from api.publishing import submission
from api.schemas import RUN_ID
from cars_bot import database, runs
from cars_bot.catalogue import JOBS
from cars_bot.comparisons import rows as comparisons
from cars_bot.comparisons.presets import PRESETS
from cars_bot.database import run_lists
from cars_bot.processes import clock

FIRST_PRESETS = ("twenty-posts", "kill-worker", "slow-before-quick")
LETTERS_SHOWN = 50  # of each lane
CHOICES = {
    "lane": {name: lane.short for name, lane in display.LANES.items()},
    "state": {name: name.replace("_", " ").lower() for name in runs.OPEN + runs.ENDED},
    "job": {name: name for name in JOBS},
}

router = APIRouter(include_in_schema=False)


@router.get("/")
def index(
    request: Request, lane: str = "", state: str = "", job: str = "", before: Annotated[str, Query(pattern=RUN_ID)] = ""
) -> HTMLResponse:
    """Show the lanes side by side, and the newest runs. An empty filter means all."""
    chosen = {name: value for name, value in (("lane", lane), ("state", state), ("job", job)) if value}
    for name, value in chosen.items():
        if value not in CHOICES[name]:
            message = f"{name}={value[:40]} is unknown; choose one of {', '.join(CHOICES[name])}"
            raise Refused(422, "unknown_filter", message)
    query = live_queries.Query(**chosen, before=before or None)
    rows = query.rows()
    is_full = len(rows) == live_queries.PAGE_ROWS
    return render(
        "index.html",
        request,
        presets={name: PRESETS[name] for name in FIRST_PRESETS},
        newest_comparison=next(iter(comparisons.newest(limit=1)), None),
        jobs=forms.jobs(),
        counts=display.counters(counters.count()),
        unserved=unread_queues.by_lane(),
        runs=rows,
        query={"lane": lane, "state": state, "job": job, "before": before},
        choices=CHOICES,
        newest=f"/?{urlencode(chosen)}#runs",
        older=f"/?{urlencode(chosen | {'before': rows[-1]['id']})}#runs" if is_full else None,
    )


@router.get("/runs/{run_id}")
def show_run(run_id: str, request: Request) -> HTMLResponse:
    """Show one run: its timeline, arguments, result, error and policy."""
    run = submission.existing(run_id)
    story = timeline.of(run)
    with database.statements() as connection:
        children = run_lists.page(connection, parent=run.id, limit=20)
    return render(
        "run.html",
        request,
        run=run,
        call=live_queries.call(run.job, run.args, longest=200),
        timeline=story,
        settled=run.finished_at is not None
        and run.finished_at < clock.now() - 2,  # the last events come a moment later
        strip=timeline_strip.strip(story.events, ended=run.finished_at is not None),
        journey=journey.diagram(story.events, timeline.effects_of(run), run.lane, run.parent is not None),
        wires=wire.of(run),
        wire_table=wire.table,
        policy=display.policy(run),
        unserved=unread_queues.of_run(run),
        children=children,
    )


@router.get("/parity")
def show_parity(request: Request) -> HTMLResponse:
    """Show the code of both lanes side by side, feature by feature."""
    return render("parity.html", request, rows=parity.rows(), totals=parity.totals())


@router.get("/dead-letters")
def list_dead_letters(request: Request) -> HTMLResponse:
    """Show the dead letters of both lanes."""
    return render("dead_letters.html", request, found=listing.oldest(None, LETTERS_SHOWN))


@router.get("/dead-letters/{lane}/{letter_id}")
def show_dead_letter(lane: listing.Lane, letter_id: str, request: Request) -> HTMLResponse:
    """Show one whole dead letter."""
    return render("dead_letter.html", request, letter=listing.whole(lane, letter_id))


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Show Swagger UI, from our own files."""
    return render("docs.html", request)


@router.get("/favicon.ico")
def favicon() -> FileResponse:
    """Send the icon to browsers that ask for it under its usual name."""
    return FileResponse(HERE / "static" / "icon.svg", media_type="image/svg+xml")


def problem(request: Request, answer: JSONResponse, message: str) -> Response:
    """Return an error as a page, for a person who followed a link."""
    heading = {404: "Nothing here", 422: "That cannot be shown", 503: "Not available now"}.get(
        answer.status_code, "Something went wrong"
    )
    page = render("problem.html", request, answer.status_code, heading=heading, message=message)
    if "retry-after" in answer.headers:
        page.headers["retry-after"] = answer.headers["retry-after"]
    return page

"""Pages of the comparisons: presets, the form and the list at `/comparisons`, one at `/comparisons/{id}`.

With `?beside={id}`, the page of one comparison shows two.
"""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from api.errors import Refused
from api.pages import own_comparison
from api.pages.rendering import render
from cars_bot.comparisons import record, rows
from cars_bot.comparisons.for_people import card
from cars_bot.comparisons.for_people.beside import beside as lay_beside
from cars_bot.comparisons.for_people.command_line import command
from cars_bot.comparisons.presets import PRESETS

router = APIRouter(include_in_schema=False)

TEXTS = {
    "accepted": "accepted",
    "done": "done",
    "failed": "failed",
    "unknown": "outcome unknown",
    "expired": "expired",
    "revoked": "revoked",
    "lost": "lost",
    "retried": "attempted again",
    "redelivered": "messages delivered again",
    "duplicated": "effects too many",
    "waiting": "waiting for a worker",
    "working": "working",
    "pausing": "between two attempts",
    "total": "from accepted to ended",
    "per_second": "jobs a second",
    "cpu_seconds": "CPU time of the workers",
    "memory_bytes": "memory of the workers",
    "published_per_job": "messages to the broker per job",
    "delivered_per_job": "messages from the broker per job",
    "bytes_per_job": "bytes to the broker per job",
}


@router.get("/comparisons")
def list_comparisons(
    request: Request, preset: str = "", like: str = "", run: str = "", job: str = "", args: str = ""
) -> HTMLResponse:
    """Show the presets, the form, and the comparisons that were made. An address can fill the form in."""
    opening = own_comparison.opening(preset, like, run, job, args)
    own = own_comparison.context()
    return render("comparisons.html", request, presets=PRESETS, comparisons=rows.newest(), opening=opening, own=own)


@router.get("/comparisons/{comparison_id}")
def show_comparison(comparison_id: str, request: Request, beside: str = "") -> HTMLResponse:
    """Show one comparison: its verdict, its picture and its figures. While it runs, the page follows it."""
    comparison = rows.find(comparison_id) if comparison_id.isprintable() else None
    if comparison is None:
        raise Refused(404, "unknown_comparison", "there is no such comparison")
    if beside:
        return render("beside.html", request, found=lay_beside(comparison.id, beside), texts=TEXTS)
    folder = record.folder_of(comparison.id)
    result = record.result(folder) if comparison.state == "ENDED" else None
    return render(
        "comparison.html",
        request,
        comparison=comparison,
        result=result,
        lanes=comparison.request.lanes,
        figures=_figures(result) if result else [],
        environment=record.environment(folder) if result else {},
        others=[each for each in rows.newest() if each.state == "ENDED" and each.id != comparison.id],
        command=command(comparison.request),
    )


def _figures(result: dict[str, Any]) -> list[tuple[str, str, list[Any], float | None]]:
    """Return the rows of the table: (heading, kind of value, a value for each lane, the difference of two lanes)."""
    return [
        (
            f"{TEXTS[name]}, {share}" if share else TEXTS[name],
            kind,
            values,
            card.difference(*values) if len(values) == 2 else None,
        )
        for name, share, kind, values in card.figures(list(result["lanes"].values()))
    ]

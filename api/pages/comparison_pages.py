"""Pages of the comparisons: the presets and the list at `/comparisons`, one comparison at `/comparisons/{id}`."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from api.errors import Refused
from api.pages.rendering import render
from cars_bot.comparisons import card, record, rows
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
}
USAGE = {
    "cpu_seconds": ("CPU time of the workers", "seconds"),
    "memory_bytes": ("memory of the workers", "bytes"),
}


@router.get("/comparisons")
def list_comparisons(request: Request) -> HTMLResponse:
    """Show the presets, and the comparisons that were made."""
    return render("comparisons.html", request, presets=PRESETS, comparisons=rows.newest())


@router.get("/comparisons/{comparison_id}")
def show_comparison(comparison_id: str, request: Request) -> HTMLResponse:
    """Show one comparison: its verdict, its picture and its figures. While it runs, the page follows it."""
    comparison = rows.find(comparison_id) if comparison_id.isprintable() else None
    if comparison is None:
        raise Refused(404, "unknown_comparison", "there is no such comparison")
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
    )


def _figures(result: dict[str, Any]) -> list[tuple[str, str, list[Any], float | None]]:
    """Return the rows of the table: (heading, kind of value, a value for each lane, the difference of two lanes)."""
    lanes = list(result["lanes"].values())
    found = [
        _row(f"{TEXTS[name]}, {share}", "seconds", values) if share else _row(TEXTS[name], "count", values)
        for name, share, values in card.figures(result)
    ]
    found.append(_row("jobs a second", "rate", [lane["per_second"] for lane in lanes]))
    found += [_row(text, kind, [lane[name] for lane in lanes]) for name, (text, kind) in USAGE.items()]
    return found


def _row(text: str, kind: str, values: list[Any]) -> tuple[str, str, list[Any], float | None]:
    known = len(values) == 2 and None not in values
    return text, kind, values, values[1] - values[0] if known else None

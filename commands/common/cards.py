"""Cards of comparisons for the terminal: one comparison, or two beside each other."""

from collections.abc import Sequence
from typing import Any

from commands.common.console import table

NAMES = {
    "per_second": "jobs a second", "cpu_seconds": "worker CPU", "memory_bytes": "worker memory",
    "published_per_job": "messages sent per job", "delivered_per_job": "messages delivered per job",
    "bytes_per_job": "bytes sent per job",
}  # fmt: skip


def one(result: dict[str, Any]) -> str:
    """Return the card: the figures of each lane side by side, the faults, and the verdict."""
    from cars_bot.comparisons.for_people import card

    lanes = result["lanes"]
    rows = [
        (_name(name, share), *[card.text(value, kind) for value in values])
        for name, share, kind, values in card.figures(list(lanes.values()))
    ]
    marks = [
        f"  {mark['at'] - result['started_at']:6.2f} s  {mark['what']}: {mark['detail']}" for mark in result["marks"]
    ]
    figures = table(rows, ("", *lanes), right=range(1, len(lanes) + 1))
    return "\n".join(["", figures, "", *marks, *([""] if marks else []), result["verdict"]])


def two(found: dict[str, Any]) -> str:
    """Return two comparisons beside each other, from the answer of the API."""
    a, b = found["sides"]
    unlike = [(each["name"], *each["sides"]) for each in found["differences"]]
    header = ["", *(f"{lane} {column}" for lane in found["lanes"] for column in ("A", "B", "B-A"))]
    rows = [
        (_name(each["name"], each["share"]), *_cells(each["kind"], each["lanes"].values())) for each in found["figures"]
    ]
    return "\n".join([
        "", f"A  {a['name']}: {a['verdict']}", f"B  {b['name']}: {b['verdict']}", "",
        table(unlike, ("", "A", "B")) if unlike else "Their conditions are the same.", "",
        table(rows, header, right=range(1, len(header))),
    ])  # fmt: skip


def _cells(kind: Any, lanes: Sequence[list[Any]]) -> list[str]:
    from cars_bot.comparisons.for_people import card

    cells: list[str] = []
    for first, second, apart in lanes:
        cells += [card.text(first, kind), card.text(second, kind), card.difference_text(apart, kind)]
    return cells


def _name(name: str, share: str) -> str:
    return f"{name} {share}" if share else NAMES.get(name, name)

"""`kit test-faults …`: break the kit in every way that it must survive, and print a table of the results.

The table has one row per fault and lane. reports/faults/ has it as JSON and Markdown. The exit code is 0 only if every
fault was tried and survived. The arguments are pytest's, for example: `./kit test-faults tests/faults/test_workers.py`.
"""

import json
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from commands.common.console import DONE, NO, say, table
from commands.common.state import ROOT
from commands.test import run_pytest

HOW_MANY = 38
REPORT = ROOT / "reports" / "faults"
COUNTS = ("accepted", "done", "failed", "lost", "duplicated", "unexpected", "unknown", "recovered")
HEADER = ("fault", "lane", "accepted", "done", "failed", "lost", "duplicated", "unexpected", "unknown", "recovered",
          "seconds", "verdict")  # fmt: skip
WORST_FIRST = ("false", "unknown", "true")

Line = dict[str, Any]


def pass_on(words: list[str]) -> int:
    # Three tests run at once, because a fault takes much time and little CPU.
    wanted = words or ["tests/faults", "-n", "3"]
    with tempfile.TemporaryDirectory() as folder:
        code = run_pytest([*wanted, "--faults", "all", "--fault-report", folder])
        lines = [json.loads(text) for file in Path(folder).glob("*.jsonl") for text in file.read_text().splitlines()]
    rows = combined(lines)
    write(rows)
    print(as_table(rows))
    print(f"\n{conclusion(rows)}")
    survived = {number for number in range(1, HOW_MANY + 1) if verdict_of(rows, number) == "true"}
    say(f"  The same as JSON and Markdown    {REPORT.relative_to(ROOT)}/")
    return DONE if code == 0 and len(survived) == HOW_MANY else NO


def combined(lines: Iterable[Line]) -> list[Line]:
    """Return one row per fault and lane: the sums of the counts, the longest recovery, the worst verdict."""
    rows: dict[tuple[int, str], Line] = {}
    for line in lines:
        blank = {"fault": line["fault"], "name": line["name"], "lane": line["lane"], "verdict": "true", "recovery": 0.0}
        fresh = blank | {"tests": 0, "problems": []} | dict.fromkeys(COUNTS, 0)
        row = rows.setdefault((line["fault"], line["lane"]), fresh)
        row["tests"] += 1
        row["problems"] += line["problems"]
        row["recovery"] = max(row["recovery"], line["recovery"])
        row["verdict"] = min(row["verdict"], line["verdict"], key=WORST_FIRST.index)
        for count in COUNTS:
            row[count] += line[count]
    return [rows[key] for key in sorted(rows)]


def verdict_of(rows: list[Line], number: int) -> str:
    """Return the worst verdict over the lanes of a fault, or "missing" if no test tried the fault."""
    verdicts = [row["verdict"] for row in rows if row["fault"] == number]
    return min(verdicts, key=WORST_FIRST.index, default="missing")


def cells(row: Line) -> list[object]:
    return [f"{row['fault']:>2} {row['name']}", row["lane"], *(row[count] for count in COUNTS),
            f"{row['recovery']:.1f}", row["verdict"]]  # fmt: skip


def as_table(rows: list[Line]) -> str:
    return table([cells(row) for row in rows], HEADER, right=range(2, 11))


def conclusion(rows: list[Line]) -> str:
    """Return how many faults were survived, and the problems of the others."""
    verdicts = {number: verdict_of(rows, number) for number in range(1, HOW_MANY + 1)}
    others = [f"{number} {verdict}" for number, verdict in verdicts.items() if verdict != "true"]
    survived = f"{HOW_MANY - len(others)} of {HOW_MANY} faults survived"
    problems = [f"  {row['fault']} {row['lane']}: {problem}" for row in rows for problem in row["problems"][:3]]
    return "\n".join([survived + (f"; {', '.join(others)}" if others else ""), *problems])


def write(rows: list[Line]) -> None:
    shutil.rmtree(REPORT, ignore_errors=True)
    REPORT.mkdir(parents=True)
    (REPORT / "faults.json").write_text(json.dumps(rows, indent=1) + "\n")
    lines = ["| " + " | ".join(map(str, line)) + " |" for line in [HEADER, ["---"] * len(HEADER), *map(cells, rows)]]
    (REPORT / "faults.md").write_text("\n".join(["# Faults", "", *lines, "", conclusion(rows), ""]))

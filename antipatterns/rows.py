"""Rows of the report's table: one for each experiment, with all its runs of the broken and the fixed example."""

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from antipatterns.experiment import Experiment, all_of_them, interval

HEADER = ("antipattern", "experiment", "broken", "fixed", "n", "broken failed, 95 %", "fixed failed, 95 %", "as due",
          "seconds")  # fmt: skip

Line = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One experiment with its runs, broken and fixed."""

    number: int
    experiment: Experiment
    runs: dict[str, list[Line]]

    @property
    def label(self) -> str:
        """The antipattern's number, with an h if the experiment is by hand."""
        return f"{self.number}{'h' if self.experiment.prefix else ''}"

    @property
    def file(self) -> str:
        """The name of the figure, such as ap03 or ap03-by-hand."""
        return self.experiment.folder.name[:4] + ("-by-hand" if self.experiment.prefix else "")

    def counts(self, example: str) -> dict[str, float]:
        """Return the median of each count."""
        runs = self.runs[example]
        return {name: tidy(statistics.median(run["counts"][name] for run in runs)) for name in runs[0]["counts"]}

    def share(self, example: str) -> tuple[int, int, float, float]:
        """Return the number of failures, the number of runs, and the 95 % interval of their share."""
        runs = self.runs[example]
        shown = sum(run["failed"] for run in runs)
        return shown, len(runs), *interval(shown, len(runs))

    def cells(self) -> list[str]:
        """Return the cells of one line of the table, in the order of HEADER."""
        said = [self.experiment.module.verdict(self.counts(example)) for example in ("broken", "fixed")]
        shares = [share_in_words(*self.share(example)) for example in ("broken", "fixed")]
        seconds = statistics.median(run["seconds"] for runs in self.runs.values() for run in runs)
        what = str(self.experiment.module.__doc__).strip().partition("\n")[0]
        name = f"{self.label} {self.experiment.name}"
        runs = [run for runs in self.runs.values() for run in runs]
        as_due = f"{sum(not run['differs'] for run in runs)}/{len(runs)}"
        return [name, what, *said, str(len(self.runs["broken"])), *shares, as_due, f"{seconds:.1f}"]

    def differs(self) -> list[str]:
        """Return each count of each run that is not as due, in words."""
        return [
            f"{self.label} {example}: {text}"
            for example, runs in self.runs.items()
            for run in runs
            for text in run["differs"]
        ]


def tidy(value: float) -> float:
    """Return a whole number as an int: 5 instead of 5.0."""
    return int(value) if value == int(value) else value


def share_in_words(shown: int, of: int, low: float, high: float) -> str:
    """Return a share as text, such as "3/3, 44-100 %"."""
    return f"{shown}/{of}, {low * 100:.0f}-{high * 100:.0f} %"


def incomplete(rows: list[Row], repeat: int) -> list[str]:
    """Return each example that has not come to its end `repeat` times, in words."""
    ran = {(row.number, row.experiment.prefix): row.runs for row in rows}
    return [
        f"{number} {one.name}, {example}: {came} of {repeat} runs came to their end"
        for number, one in experiments()
        for example in ("broken", "fixed")
        if (came := len(ran.get((number, one.prefix), {}).get(example, []))) != repeat
    ]


def experiments() -> list[tuple[int, Experiment]]:
    """Return all experiments by number, each followed by its version by hand."""
    return [(each.number, one) for each in all_of_them() for one in (each.on_celery, each.by_hand) if one]


def gathered(lines: list[Line]) -> list[Row]:
    """Return a row for each experiment that has runs of both examples."""
    runs: dict[tuple[str, bool], dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        runs[line["folder"], line["by_hand"]][line["example"]].append(line)
    keyed = [(number, one, runs[one.folder.name, bool(one.prefix)]) for number, one in experiments()]
    return [Row(number, one, dict(found)) for number, one, found in keyed if len(found) == 2]

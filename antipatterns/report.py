"""python -m antipatterns.report: run all experiments so often, and write what a thesis can quote.

reports/antipatterns/
  junit.xml              every test of every repetition
  results.csv            a line a run: every count
  table.md table.tex     antipattern, experiment, broken, fixed, n, 95 % interval, seconds
  figures/ap03.svg .pdf  what was due, and what came, broken and fixed
  environment.json       versions, processor, brokers, commit, seed, command line
  README.md              how to cite and to repeat it
"""

import argparse
import csv
import json
import shutil
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antipatterns.environment import describe
from antipatterns.experiment import RESULTS, Experiment, all_of_them, interval
from antipatterns.figures import draw
from commands.common.console import any_terminal
from commands.test import run_pytest
from experiments.processes import ROOT

FOLDER = ROOT / "reports" / "antipatterns"
HEADER = ("antipattern", "experiment", "broken", "fixed", "n", "broken failed, 95 %", "fixed failed, 95 %", "as due",
          "seconds")  # fmt: skip

Line = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One experiment's runs, broken and fixed."""

    number: int
    experiment: Experiment
    runs: dict[str, list[Line]]

    @property
    def label(self) -> str:
        """Its number; by hand, with an h."""
        return f"{self.number}{'h' if self.experiment.prefix else ''}"

    @property
    def file(self) -> str:
        """The figure's name: ap03, ap03-by-hand."""
        return self.experiment.folder.name[:4] + ("-by-hand" if self.experiment.prefix else "")

    def counts(self, example: str) -> dict[str, float]:
        """The median of each count."""
        runs = self.runs[example]
        return {name: tidy(statistics.median(run["counts"][name] for run in runs)) for name in runs[0]["counts"]}

    def share(self, example: str) -> tuple[int, int, float, float]:
        """How often the failure showed, of how many, and the 95 % interval of the share."""
        runs = self.runs[example]
        shown = sum(run["failed"] for run in runs)
        return shown, len(runs), *interval(shown, len(runs))

    def cells(self) -> list[str]:
        """As a line of the table."""
        said = [self.experiment.module.verdict(self.counts(example)) for example in ("broken", "fixed")]
        shares = [share_in_words(*self.share(example)) for example in ("broken", "fixed")]
        seconds = statistics.median(run["seconds"] for runs in self.runs.values() for run in runs)
        what = str(self.experiment.module.__doc__).strip().partition("\n")[0]
        name = f"{self.label} {self.experiment.name}"
        runs = [run for runs in self.runs.values() for run in runs]
        as_due = f"{sum(not run['differs'] for run in runs)}/{len(runs)}"
        return [name, what, *said, str(len(self.runs["broken"])), *shares, as_due, f"{seconds:.1f}"]

    def differs(self) -> list[str]:
        """Each count of each run that is not as it is due."""
        return [
            f"{self.label} {example}: {text}"
            for example, runs in self.runs.items()
            for run in runs
            for text in run["differs"]
        ]


def tidy(value: float) -> float:
    """5 instead of 5.0."""
    return int(value) if value == int(value) else value


def share_in_words(shown: int, of: int, low: float, high: float) -> str:
    """3/3, 44-100 %."""
    return f"{shown}/{of}, {low * 100:.0f}-{high * 100:.0f} %"


def main() -> int:
    """Run, and write; 0 if every count of every repetition was as it is due."""
    parser = argparse.ArgumentParser(prog="make antipatterns", description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--processes", type=int, default=3, help="experiments at once; they wait more than they work")
    parser.add_argument("--seed", type=int, default=1, help="of Python's random numbers and hashes, in every process")
    parser.add_argument(
        "--labels", type=Path, help="texts of the figures in another language: antipatterns/labels_ru.json"
    )
    options = parser.parse_args()
    labels = json.loads(options.labels.read_text("utf-8")) if options.labels else {}
    shutil.rmtree(FOLDER, ignore_errors=True)
    raw = FOLDER / "raw"
    raw.mkdir(parents=True)
    environment = {RESULTS: str(raw), "SEED": str(options.seed), "PYTHONHASHSEED": str(options.seed)}
    arguments = ["-n", str(options.processes), "--dist", "worksteal", "--repeat", str(options.repeat)]
    code = run_pytest(["-q", "antipatterns", f"--junitxml={FOLDER / 'junit.xml'}", *arguments], environment=environment)
    lines = [json.loads(text) for file in raw.glob("*.jsonl") for text in file.read_text("utf-8").splitlines()]
    brokers = json.loads((raw / "brokers.json").read_text("utf-8")) if lines else {}
    shutil.rmtree(raw)
    rows = gathered(lines)
    write(rows, lines, describe(options.seed, brokers), labels)
    print((FOLDER / "table.md").read_text("utf-8"))
    print(f"All of it is in {FOLDER.relative_to(ROOT)}/", file=sys.stderr)
    problems = [text for row in rows for text in row.differs()] + incomplete(rows, options.repeat)
    for text in problems:
        print(f"not as due: {text}", file=sys.stderr)
    return 1 if code or problems else 0


def incomplete(rows: list[Row], repeat: int) -> list[str]:
    """What was to be run and has not come to its end: each example of each experiment, so often."""
    ran = {(row.number, row.experiment.prefix): row.runs for row in rows}
    return [
        f"{number} {one.name}, {example}: {came} of {repeat} runs came to their end"
        for number, one in experiments()
        for example in ("broken", "fixed")
        if (came := len(ran.get((number, one.prefix), {}).get(example, []))) != repeat
    ]


def experiments() -> list[tuple[int, Experiment]]:
    """All of them, by number, each followed by its counterpart by hand."""
    return [(each.number, one) for each in all_of_them() for one in (each.on_celery, each.by_hand) if one]


def gathered(lines: list[Line]) -> list[Row]:
    """A row for each experiment of which there are runs of both examples."""
    runs: dict[tuple[str, bool], dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        runs[line["folder"], line["by_hand"]][line["example"]].append(line)
    keyed = [(number, one, runs[one.folder.name, bool(one.prefix)]) for number, one in experiments()]
    return [Row(number, one, dict(found)) for number, one, found in keyed if len(found) == 2]


def write(rows: list[Row], lines: list[Line], environment: dict[str, Any], labels: dict[str, str]) -> None:
    """Everything but the JUnit report, which pytest has written."""
    cells = [row.cells() for row in rows]
    (FOLDER / "table.md").write_text(markdown(cells), "utf-8")
    (FOLDER / "table.tex").write_text(latex(cells), "utf-8")
    with (FOLDER / "results.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "antipattern",
                "by hand",
                "example",
                "broker",
                "failed",
                "seconds",
                "count",
                "value",
                "least due",
                "most due",
            ]
        )
        for line in lines:
            fixed = [line[name] for name in ("folder", "by_hand", "example", "broker", "failed", "seconds")]
            for name, value in line["counts"].items():
                writer.writerow([*fixed, name, value, *line["due"].get(name, ["", ""])])
    (FOLDER / "figures").mkdir()
    for row in rows:
        due, came = row.experiment.module.FIGURE
        values = {example: [run["counts"][came] for run in row.runs[example]] for example in ("broken", "fixed")}
        expected = row.counts("broken")[due] if isinstance(due, str) else due
        draw(FOLDER / "figures" / row.file, row.experiment.name, came, expected, values, labels)
    (FOLDER / "environment.json").write_text(json.dumps(environment, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (FOLDER / "README.md").write_text(README.format(n=len(rows[0].runs["broken"]) if rows else 0), "utf-8")


def markdown(cells: list[list[str]]) -> str:
    """The table for a README."""
    lines = ["| " + " | ".join(line) + " |" for line in [list(HEADER), ["---"] * len(HEADER), *cells]]
    return "\n".join(lines) + "\n"


def latex(cells: list[list[str]]) -> str:
    """The table for a thesis: \\input it; it needs the packages array, booktabs and longtable."""
    shares = (0.12, 0.16, 0.15, 0.15, None, 0.09, 0.09, None, None)  # of the line; None: as wide as its numbers
    widths = "".join(f">{{\\raggedright\\arraybackslash}}p{{{share}\\linewidth}}" if share else "r" for share in shares)
    head = " & ".join(escaped(name) for name in HEADER)
    body = [" & ".join(escaped(cell) for cell in line) + r" \\" for line in cells]
    return "\n".join(
        [f"\\begin{{longtable}}{{{widths}}}", r"\toprule", head + r" \\", r"\midrule", r"\endhead", *body,
         r"\bottomrule", r"\end{longtable}", ""]
    )  # fmt: skip


def escaped(text: str) -> str:
    """For LaTeX."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    safe = "".join(special.get(each, f"\\{each}" if each in "&%$#_{}" else each) for each in text)
    return safe.replace(r" \%", r"~\%")


README = """# Antipatterns of background jobs: measurements

Every experiment was run {n} times on brokers of its own; `environment.json` says on what. `broken` is the example with
the mistake, `fixed` its twin that differs in a few lines; an `h` behind the number marks the same mistake in a consumer
written by hand. The intervals are Wilson's, at 95 %, of the share of runs in which the failure showed; `as due` says in
how many runs, of both examples, every single count was what the experiment states that it must be.

Repeat it: `git checkout` the commit in `environment.json`, then its command line. Cite it: `CITATION.cff` in the
project's folder.

| file | |
|---|---|
| `table.md`, `table.tex` | the table; LaTeX: with array, booktabs, longtable, on a landscape page: `\\input{{table}}` |
| `results.csv` | every count of every run |
| `figures/` | one for each experiment, as SVG and as PDF |
| `junit.xml` | the tests, as a CI server reads them |
"""


if __name__ == "__main__":
    any_terminal(for_itself=True)
    sys.exit(main())

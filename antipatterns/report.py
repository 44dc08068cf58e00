"""python -m antipatterns.report: run all experiments several times, and write a report that a thesis can quote.

The report:

    reports/antipatterns/
      junit.xml              every test of every repetition
      results.csv            a line for each count of each run
      table.md table.tex     antipattern, experiment, broken, fixed, n, 95 % interval, as due, seconds
      figures/ap03.svg .pdf  the count that was due, and the counts that came, broken and fixed
      environment.json       versions, processor, brokers, commit, seed, command line
      README.md              how to cite and to repeat it
"""

import argparse
import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from antipatterns.environment import describe
from antipatterns.experiment import RESULTS
from antipatterns.figures import draw
from antipatterns.rows import HEADER, Line, Row, gathered, incomplete
from commands.common.console import any_terminal
from commands.test import run_pytest
from experiments.processes import ROOT

FOLDER = ROOT / "reports" / "antipatterns"


def main() -> int:
    """Run the experiments and write the report; return 0 if every count of every repetition was as due."""
    parser = argparse.ArgumentParser(prog="make antipatterns", description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--processes", type=int, default=3, help="so many experiments at once; they wait more than they work"
    )
    parser.add_argument("--seed", type=int, default=1, help="for Python's random numbers and hashes, in every process")
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


def write(rows: list[Row], lines: list[Line], environment: dict[str, Any], labels: dict[str, str]) -> None:
    """Write every file except the JUnit report; pytest has written that one."""
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
    """Return the table for a README."""
    lines = ["| " + " | ".join(line) + " |" for line in [list(HEADER), ["---"] * len(HEADER), *cells]]
    return "\n".join(lines) + "\n"


def latex(cells: list[list[str]]) -> str:
    """Return the table for a thesis: \\input it. It needs the packages array, booktabs and longtable."""
    shares = (0.12, 0.16, 0.15, 0.15, None, 0.09, 0.09, None, None)  # of the line's width; None: as wide as its numbers
    widths = "".join(f">{{\\raggedright\\arraybackslash}}p{{{share}\\linewidth}}" if share else "r" for share in shares)
    head = " & ".join(escaped(name) for name in HEADER)
    body = [" & ".join(escaped(cell) for cell in line) + r" \\" for line in cells]
    return "\n".join(
        [f"\\begin{{longtable}}{{{widths}}}", r"\toprule", head + r" \\", r"\midrule", r"\endhead", *body,
         r"\bottomrule", r"\end{longtable}", ""]
    )  # fmt: skip


def escaped(text: str) -> str:
    """Return the text with LaTeX's special characters escaped."""
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    safe = "".join(special.get(each, f"\\{each}" if each in "&%$#_{}" else each) for each in text)
    return safe.replace(r" \%", r"~\%")


README = """# Antipatterns of background jobs: measurements

Every experiment was run {n} times on brokers of its own; `environment.json` describes the machine and the software.
`broken` is the example with the mistake. `fixed` is its twin that differs in a few lines. An `h` behind the number
marks the same mistake in a consumer written by hand. The intervals are Wilson's, at 95 %, of the share of runs in which
the failure showed. `as due` is the number of runs, of both examples, in which every count was as the experiment states.

To repeat it, `git checkout` the commit in `environment.json`, then run its command line. To cite it, see `CITATION.cff`
in the project's folder.

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

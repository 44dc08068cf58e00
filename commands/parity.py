"""`kit parity`: compare each feature in Celery and by hand, with the lines of code and the tests of both.

    kit parity                                      print the table (Markdown)
    kit parity --write                              write it to docs/PARITY.md
    kit parity --without prefetch --lane celery     take the marked code out of a copy and run its tests: they must fail

Marks in the source name the code of a feature: see api/pages/parity.py. A test has `@pytest.mark.feature("prefetch")`.
"""

import argparse
import ast
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import files
from pathlib import Path
from typing import Any

from api.pages.features import BY_NAME
from api.pages.parity import LANES, Piece, lines_of_code, pieces, rows
from commands.common.console import DONE, Problem, Progress, say
from commands.common.state import ROOT

PAGE = ROOT / "docs" / "PARITY.md"
HEAD = """# What Celery does, and what it takes by hand

Written by `./kit parity --write` from the marks in the source; a test holds it up to date. Lines are lines of code,
without comments and blank ones. "Shared" is code that both lanes use; a lane with 0 lines has the feature from its
library, or from the shared code. `./kit parity --without FEATURE --lane LANE` takes the marked code out of a copy of
the kit and shows that the test in the last column then fails.

| feature | Celery | lines | by hand | lines | shared | proved for both by |
|---|---|---:|---|---:|---:|---|
"""
TAIL = """
Celery's lines are few because Celery is there. The packages {names} have some {lines:,}
lines of Python that other people maintain (counted the same way, docstrings included). They also do much that this
table does not ask for: other brokers, groups and chords, events, other pools.
"""
LIBRARIES = ("celery", "kombu", "amqp", "billiard", "vine")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    parser.add_argument("--without", metavar="FEATURE", help="take this feature's code out of a copy, run its tests")
    parser.add_argument("--lane", choices=LANES, help="the lane whose code is taken out")


def main(options: argparse.Namespace) -> int:
    if options.without:
        return without(options.without, options.lane)
    if options.write:
        PAGE.write_text(table(), encoding="utf-8")
    else:
        print(table(), end="")
    return DONE


def table() -> str:
    """Return the whole page."""
    proofs = tests()
    body = "".join(_row(row, proofs.get(row["feature"].name, [])) for row in rows())
    sources = [file for name in LIBRARIES for file in files(name) or () if file.suffix == ".py"]
    lines = sum(lines_of_code(file.read_text(encoding="utf-8")) for file in sources)
    return HEAD + body + TAIL.format(names=", ".join(LIBRARIES), lines=round(lines, -3))


def _row(row: dict[str, Any], proofs: list[str]) -> str:
    def code(lane: str) -> str:
        files = dict.fromkeys(f"`{piece.file}`" for piece in row["pieces"][lane])
        return f" ({', '.join(files)})" if files else ""

    feature, lines = row["feature"], row["lines"]
    cells = (
        feature.name, feature.celery + code("celery"), lines["celery"], feature.raw + code("raw"), lines["raw"],
        lines["both"], "<br>".join(f"`{test}`" for test in proofs),
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |\n"


def tests() -> dict[str, list[str]]:
    """Return the tests of each feature, as `file.py::test`. Only tests that run on both lanes count."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests" / "contract").glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and {arg.arg for arg in node.args.args} & {"lane", "any_lane"}:
                for name in _marks(node):
                    found.setdefault(name, []).append(f"{path.name}::{node.name}")
    return found


def _marks(function: ast.FunctionDef) -> list[str]:
    calls = [call for call in function.decorator_list if isinstance(call, ast.Call)]
    return [
        str(argument.value)
        for call in calls
        if ast.unparse(call.func) == "pytest.mark.feature"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    ]


# ---------------------------------------------------------------- the proof


def without(name: str, lane: str | None) -> int:
    """Take a feature's code out of a copy of the kit and run its tests. Return DONE if they fail, as they must."""
    if name not in BY_NAME or lane is None:
        raise Problem(
            f"the table has no feature {name!r} for --lane {lane}", "./kit parity shows the table; give --lane too"
        )
    gone = [piece for piece in pieces() if (piece.feature, piece.lane) == (name, lane)]
    if not gone:
        raise Problem(f"{name!r} has no code marked for --lane {lane}", "./kit parity shows which lane has code")
    with tempfile.TemporaryDirectory(prefix="kit-without-") as folder:
        copy = Path(folder) / "kit"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", ".run", "__pycache__", "reports"))
        for file in {piece.file for piece in gone}:
            cut(copy / file, [piece for piece in gone if piece.file == file])
        for piece in gone:
            say(f"taken out of {piece.file}, line {piece.first}:\n{piece.code}\n")
        passed = _tests_pass(copy, name, lane)
    say(f"without it the tests {'STILL PASS: they prove nothing' if passed else 'fail, as they must'}")
    return int(passed)


def cut(path: Path, gone: list[Piece]) -> None:
    """Take the pieces out of a file. A block that would be empty gets a `pass`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for piece in sorted(gone, key=lambda piece: -piece.first):
        mark = lines[piece.first - 1]
        kept = lines[: piece.first - 1], lines[piece.last :]
        indent = mark[: len(mark) - len(mark.lstrip())]
        for stand_in in ([], [f"{indent}pass"]):
            lines = [*kept[0], *stand_in, *kept[1]]
            try:
                compile("\n".join(lines), str(path), "exec")
                break
            except SyntaxError:
                continue
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _tests_pass(copy: Path, name: str, lane: str) -> bool:
    wanted = [f"tests/contract/{test}" for test in tests().get(name, [])]
    if not wanted:
        raise Problem(f"{name!r} has no test that runs on both lanes", "mark one with @pytest.mark.feature")
    chosen = [] if lane == "both" else ["-k", lane]
    with Progress(f"{len(wanted)} tests of {name}"):
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--databases", "sqlite", *chosen, *wanted]
        done = subprocess.run(command, cwd=copy, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise Problem(
            "pytest could not run the tests",
            "its output above gives the reason",
            detail=done.stdout[-2000:] + done.stderr[-2000:],
        )
    say(done.stdout.strip().splitlines()[-1])
    return done.returncode == 0

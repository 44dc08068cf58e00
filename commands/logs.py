"""`kit logs [NAME] [-f]`: print the end of each process's log. With -f, go on with each new line."""

import argparse
import time
from pathlib import Path

from cars_bot.boundary.log_lines import escaped
from commands.common.console import Problem
from commands.common.state import RunDir, run_dir


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="celery_worker, consumer-2, rabbitmq, … (all)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on printing new lines")
    parser.add_argument("-n", "--lines", type=int, default=20, metavar="N", help="lines of each log to begin with (20)")


def main(options: argparse.Namespace) -> int:
    files = choose(run_dir(), options.names)
    width = max(len(file.stem) for file in files)
    positions = {}
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")
        positions[file] = file.stat().st_size
        for line in text.removesuffix("\n").split("\n")[-options.lines :] if options.lines and text else ():
            print(f"{file.stem:{width}} │ {escaped(line)}", flush=True)
    while options.follow:
        time.sleep(0.2)
        for file in choose(run_dir(), options.names):
            positions[file] = follow(file, positions.get(file, 0), width)
    return 0


def follow(file: Path, position: int, width: int) -> int:
    """Print the lines added to `file` since `position`. Return the new position. A file that shrank was rotated."""
    size = file.stat().st_size
    if size < position:
        position = 0
    with file.open("rb") as log:
        log.seek(position)
        added = log.read()
    whole = added[: added.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").split("\n")[:-1]:
        print(f"{file.stem:{width}} │ {escaped(line)}", flush=True)
    return position + len(whole)


def choose(run: RunDir, names: list[str]) -> list[Path]:
    """Return the log files of `names`, or all of them without names. A name is a program or one copy of it.

    Raises:
        Problem: there is no such log.
    """
    files = sorted(run.logs.glob("*.log"))
    for name in names:
        if not any(name in (file.stem, file.stem.rpartition("-")[0]) for file in files):
            known = ", ".join(file.stem for file in files) or "none yet: ./kit up"
            raise Problem(f"there is no log of {name!r}", f"logs: {known}", code=2)
    if names:
        files = [file for file in files if {file.stem, file.stem.rpartition("-")[0]} & set(names)]
    if not files:
        raise Problem("there are no logs yet", "./kit up", code=3)
    return files

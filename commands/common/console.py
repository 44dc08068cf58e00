"""Output for the person who typed a command: messages, one progress line, a table, and problems with their remedy.

Everything printed here goes to stderr. stdout is for the answer of a command (a table, JSON). The module uses the
standard library alone, because `./kit` needs it before anything is installed.
"""

import codecs
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TextIO

DONE, NO, USAGE, NOT_UP, CANNOT = 0, 1, 2, 3, 4
EXIT_CODES = """exit codes: 0 done · 1 the answer is no (lost runs, faults found, tests failed) · 2 wrong usage ·
3 the kit is not up · 4 something is in the way; the message says what and how to mend it"""


# Our marks in plain ASCII, for a terminal that has no character for them.
PLAIN = {"✓": "ok", "✗": "no", "→": "->", "…": "...", "·": "-", "–": "-", "—": "-", "│": "|", "─": "-", "┼": "+",
         "█": "#", "░": ".",
         "×": "x", "÷": "/", "≥": ">=", "≤": "<=", "−": "-", "“": '"', "”": '"', "’": "'"}  # fmt: skip


def any_terminal(for_itself: bool = False) -> None:
    """Make stdout and stderr accept every character. A character that they cannot write gets a plain spelling.

    A terminal may know ASCII only. And people's texts contain lone surrogates (half an emoji), which no terminal can
    write.

    Args:
        for_itself: the programs that we start do not write to the terminal. We read their output, so it is UTF-8.
    """
    if for_itself:
        os.environ.pop("PYTHONIOENCODING", None)
    codecs.register_error("kit", _in_plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="kit")


def _in_plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in text), error.end


def as_json(value: object, indent: int | None = None) -> str:
    """Return `value` as JSON that stdout can write. Any program reads the same value from it."""
    return json.dumps(value, indent=indent, ensure_ascii=(sys.stdout.encoding or "ascii").lower() != "utf-8")


class Problem(Exception):
    """An expected error: something is in the way of a command.

    Args:
        what: one sentence that names it.
        remedy: what to type or change; empty if none is known.
        code: the exit code of the command.
        detail: longer text to show above the message, such as the tail of a log.
    """

    def __init__(self, what: str, remedy: str = "", code: int = CANNOT, detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.code = code
        self.detail = detail


def colour(text: str, code: str, to: TextIO | None = None) -> str:
    """Return `text` in an ANSI colour if the stream `to` (stderr by default) is a terminal, else `text` itself."""
    return f"\033[{code}m{text}\033[0m" if (to or sys.stderr).isatty() else text


def say(text: str = "") -> None:
    print(text, file=sys.stderr, flush=True)


def report(problem: Problem) -> None:
    if problem.detail:
        say(colour(problem.detail, "2"))
    say(f"{colour('kit:', '31;1')} {problem.what}")
    if problem.remedy:
        say(f"     {colour('→', '32;1')} {problem.remedy}")


def table(rows: Sequence[Sequence[object]], header: Sequence[str] = (), right: Sequence[int] = ()) -> str:
    """Return rows as aligned text. The columns whose numbers are in `right` are aligned to the right."""
    lines = [[str(cell) for cell in row] for row in ([header] if header else []) + list(rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))] if lines else []
    return "\n".join(
        "  ".join(
            cell.rjust(widths[i]) if i in right else cell.ljust(widths[i]) for i, cell in enumerate(line)
        ).rstrip()
        for line in lines
    )


class Progress:
    """One line on stderr: what the command waits for, and since when.

    On a terminal the line is redrawn with a clock. Elsewhere it is printed once, when the work ends.

    >>> with Progress("Installing Redis") as line:
    ...     line.update("3/20 packages")
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.note = ""
        self._ended = threading.Event()
        self._begun = time.monotonic()
        self._clock = threading.Thread(target=self._redraw, daemon=True)

    def update(self, note: str) -> None:
        self.note = note

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty():
            self._clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._clock.is_alive():
            self._clock.join()
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
        mark = colour("✓", "32") if kind is None else colour("✗", "31")
        say(f"{mark} {self.title} ({self.seconds:.1f} s)")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    def _redraw(self) -> None:
        while not self._ended.wait(0.1):
            note = f" · {self.note}" if self.note else ""
            sys.stderr.write(f"\r\033[K… {self.title}{note} · {self.seconds:.0f} s")
            sys.stderr.flush()


def bar(done: int, total: int, width: int = 24) -> str:
    """Return `done` of `total` as a bar of `width` characters."""
    filled = width if total == 0 else width * min(done, total) // total
    return "█" * filled + "░" * (width - filled)

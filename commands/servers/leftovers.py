"""Leftovers: processes of a lab's check, an experiment or a test whose owner is gone, and its warden too.

A leftover means that the warden was killed as well, or that a kit before 0.2 started the process: it had no wardens.
"""

import re
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from commands.common.state import TEMPORARY, TEST_SESSION

OF_EXPERIMENTS = re.compile(rb"^KIT_RUN_DIR=.*/" + TEMPORARY.encode() + rb"[^/]*/run$")
OF_TESTS = re.compile(rf"^{TEST_SESSION}=".encode())
OWNERS = {b"labs", b"antipatterns", b"pytest", b"experiments.golden_rules"}  # python -m …
AGAIN = 0.5  # seconds between two looks; at the second, the processes that a warden was just ending are gone


def left() -> dict[str, list[int]]:
    """Return the pids of the leftovers, by the mark that they share: KIT_RUN_DIR=… or KIT_TEST_SESSION=…"""
    if not (first := _look()):
        return {}
    time.sleep(AGAIN)
    second = _look()
    both = {mark: sorted(pids & second.get(mark, set())) for mark, pids in first.items()}
    return {mark: pids for mark, pids in both.items() if pids}


def _look() -> dict[str, set[int]]:
    groups, owned = defaultdict[str, set[int]](set), set[str]()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):  # it has ended, or is another user's
            words = (process / "cmdline").read_bytes().split(b"\0")
            environment = (process / "environ").read_bytes().split(b"\0")
            marks = [each.decode() for each in environment if OF_EXPERIMENTS.match(each) or OF_TESTS.match(each)]
            if b"commands.servers.warden" in words:
                owned.update(word.decode() for word in words)
            if OWNERS & {*words, *_parents_words(process)}:  # before 0.2, an owner is known only by its children
                owned.update(marks)
            for mark in marks:
                groups[mark].add(int(process.name))
    kept = {pid for mark in owned for pid in groups.get(mark, ())}  # an experiment of a test has both marks
    return {mark: found for mark, pids in groups.items() if (found := pids - kept)}


def _parents_words(process: Path) -> list[bytes]:
    parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
    with suppress(OSError):
        return Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0")
    return []


def folder_of(mark: str) -> Path | None:
    """Return the temporary folder of an experiment, by its mark. Tests have none."""
    name, _, value = mark.partition("=")
    return Path(value).parent if name == "KIT_RUN_DIR" else None

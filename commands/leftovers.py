"""Processes that a check, an experiment or a test has started and left: their owner is gone, and so is its warden.

That does not happen any more unless the warden was killed, too; but kits before 0.2 had none.
"""

import re
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from commands.state import TEMPORARY, TEST_SESSION

OF_EXPERIMENTS = re.compile(rb"^KIT_RUN_DIR=.*/" + TEMPORARY.encode() + rb"[^/]*/run$")
OF_TESTS = re.compile(rf"^{TEST_SESSION}=".encode())


def left() -> dict[str, list[int]]:
    """Their pids, by the mark that they share: KIT_RUN_DIR=… or KIT_TEST_SESSION=…"""
    groups, owned = defaultdict[str, list[int]](list), set[str]()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            words = (process / "cmdline").read_bytes().split(b"\0")
            environment = (process / "environ").read_bytes().split(b"\0")
            marks = [each.decode() for each in environment if OF_EXPERIMENTS.match(each) or OF_TESTS.match(each)]
            if b"commands.warden" in words:
                owned.update(word.decode() for word in words)
            if b"pytest" in words:
                owned.update(mark for mark in marks if mark.startswith(TEST_SESSION))
            for mark in marks:
                groups[mark].append(int(process.name))
    kept = {pid for mark in owned for pid in groups.get(mark, [])}  # experiments of tests have the marks of both
    return {mark: sorted(found) for mark, pids in groups.items() if (found := set(pids) - kept)}


def folder_of(mark: str) -> Path | None:
    """The temporary folder of an experiment, by its mark."""
    name, _, value = mark.partition("=")
    return Path(value).parent if name == "KIT_RUN_DIR" else None

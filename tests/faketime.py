"""Processes whose own clock is wrong: libfaketime stands between them and the kernel. No other process is affected."""

from functools import cache
from pathlib import Path

import pytest

from commands.common import debian
from commands.common.console import Problem
from commands.common.state import ROOT

UNPACKED = ROOT / ".run" / "packages" / "libfaketime"
PATTERN = "usr/lib/*/faketime/libfaketime.so.1"


@cache
def _library() -> str:
    found = [*Path("/").glob(PATTERN), *UNPACKED.glob(PATTERN)]
    if not found and debian.is_debian():
        try:
            debian.obtain("libfaketime", UNPACKED)
        except Problem as problem:
            pytest.skip(f"no clock can be made wrong here: libfaketime cannot be had: {problem.what}")
        found = [*Path("/").glob(PATTERN), *UNPACKED.glob(PATTERN)]
    if not found:
        pytest.skip("no clock can be made wrong here: install libfaketime")
    return str(found[0])


def off_by(seconds: float) -> dict[str, str]:
    """The environment of a process whose clock is so many seconds ahead. Its waits take as long as ever."""
    return _environment() | {"FAKETIME": f"{seconds:+.0f}"}


def set_by(file: Path) -> dict[str, str]:
    """The same, but `file` holds the offset of the clock (see `set_clock`). The process reads it again and again."""
    return _environment() | {"FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1"}


def _environment() -> dict[str, str]:
    return {
        "LD_PRELOAD": _library(),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # the monotonic clock of a real machine cannot be set either
        "PYTHONPATH": f"{ROOT / 'tests' / 'mended_sleep'}:{ROOT}",
    }


def set_clock(file: Path, seconds: float) -> None:
    """Set the clocks that read `file` to so many seconds ahead. No process ever sees a half-written file."""
    fresh = file.with_suffix(".new")
    fresh.write_text(f"{seconds:+.0f}\n")
    fresh.replace(file)

"""`kit test …`: the tests, with servers of their own; they leave nothing running. The arguments are pytest's.

For example: `./kit test tests/unit -k ports`. Without any, it is what takes a few minutes: the contract tests on
SQLite, and nothing marked `thorough`. `./kit test tests` runs those as well, and the contract on PostgreSQL too.
"""

import os
import secrets
import signal
import subprocess
import sys

from commands.state import ROOT, TEST_SESSION
from commands.warden import Warden

# Most tests wait for processes: four wait at once. Asked for by name, they run in one process, easier to follow.
A_FEW_MINUTES = ["-n", "4", "--databases", "sqlite", "-m", "not thorough"]


def pass_on(words: list[str]) -> int:
    return run_pytest(words or A_FEW_MINUTES)


def run_pytest(words: list[str], **environment: str) -> int:
    """Run pytest with these arguments and return its exit code. What it leaves behind is ended; so is it, with us."""
    session = secrets.token_hex(8)
    command = [sys.executable, "-m", "pytest", *words]
    with Warden(f"{TEST_SESSION}={session}"):
        signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches pytest too, which ends its tests in order
        tests = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment, TEST_SESSION: session})
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # as after nohup
                signal.signal(number, lambda *_: tests.send_signal(signal.SIGINT))
        return tests.wait()

"""`kit test …`: the tests, with servers of their own; they leave nothing running. The arguments are pytest's.

For example: `./kit test tests/unit -k ports`. Without any, it is what takes a few minutes: the contract tests on
SQLite, and nothing marked `thorough`. `./kit test tests` runs those as well, and the contract on PostgreSQL too.
With --coverage as the first word it also measures which lines ran, in the processes that the tests start too.
"""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping

from commands.common.state import ROOT, TEST_SESSION
from commands.servers.warden import Warden

COVERAGE = ("-m", "coverage", "run")  # its settings, also for child processes, stand in pyproject.toml
# Most tests wait for processes: four wait at once. Asked for by name, they run in one process, easier to follow.
A_FEW_MINUTES = ["-n", "4", "--databases", "sqlite", "-m", "not thorough"]


def pass_on(words: list[str]) -> int:
    measured = words[:1] == ["--coverage"]
    words = words[1:] if measured else words
    code = run_pytest(words or A_FEW_MINUTES, under=COVERAGE if measured else ())
    if measured:
        for step in (("combine", "--quiet"), ("report",)):
            subprocess.run([sys.executable, "-m", "coverage", *step], cwd=ROOT, check=False)
    return code


def run_pytest(words: list[str], under: tuple[str, ...] = (), environment: Mapping[str, str] = {}) -> int:
    """Run pytest with these arguments, `under` another program, and return its exit code.

    What it leaves behind is ended; so is it, with us.
    """
    session = secrets.token_hex(8)
    command = [sys.executable, *under, "-m", "pytest", *words]
    with Warden(f"{TEST_SESSION}={session}"):
        signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches pytest too, which ends its tests in order
        tests = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment, TEST_SESSION: session})
        handed_on = [signal.SIGTERM, signal.SIGHUP]
        handed_on = [number for number in handed_on if signal.getsignal(number) != signal.SIG_IGN]  # as after nohup
        for number in handed_on:
            signal.signal(number, lambda *_: tests.send_signal(signal.SIGINT))
        code = tests.wait()
        for number in (signal.SIGINT, *handed_on):  # from here on there is nobody to hand them to
            signal.signal(number, signal.SIG_DFL)
        return code

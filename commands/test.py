"""`kit test …`: run the tests, on servers of their own. They leave nothing running. The arguments are pytest's.

For example: `./kit test tests/unit -k ports`. Without arguments it takes a few minutes: it leaves out all tests marked
`thorough`, and runs the contract tests on SQLite only. `./kit test tests` also runs the thorough tests, and the
contract tests on PostgreSQL too. With --coverage as the first word it also measures which lines ran, in the processes
that the tests start too.
"""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping

from commands.common.state import ROOT, TEST_SESSION
from commands.servers.warden import Warden

COVERAGE = ("-m", "coverage", "run")  # its settings, also for child processes, are in pyproject.toml
# Most tests wait for processes, so four run at once. Named tests run in one process, which is easier to follow.
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

    All processes that pytest leaves behind are ended. If this process ends first, pytest is ended too.
    """
    session = secrets.token_hex(8)
    command = [sys.executable, *under, "-m", "pytest", *words]
    with Warden(f"{TEST_SESSION}={session}"):
        signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches pytest too, and pytest ends its tests in order
        tests = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment, TEST_SESSION: session})
        handed_on = [signal.SIGTERM, signal.SIGHUP]
        handed_on = [number for number in handed_on if signal.getsignal(number) != signal.SIG_IGN]  # as after nohup
        for number in handed_on:
            signal.signal(number, lambda *_: tests.send_signal(signal.SIGINT))
        code = tests.wait()
        for number in (signal.SIGINT, *handed_on):  # pytest has ended: signals are for us again
            signal.signal(number, signal.SIG_DFL)
        return code

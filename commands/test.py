"""`kit test …`: the tests, with servers of their own; they leave nothing running. The arguments are pytest's.

For example: `./kit test tests/unit -k ports`.
"""

import os
import secrets
import signal
import subprocess
import sys

from commands.exec_ import inside
from commands.state import ROOT, end_marked, run_dir


def pass_on(words: list[str]) -> int:
    # Whatever the tests start inherits this, and so it can be found when they were interrupted before they ended it.
    mark = ("KIT_TEST_SESSION", secrets.token_hex(8))
    # Most tests wait for processes: three wait at once. Asked for by name, they run in one process, easier to follow.
    command = [sys.executable, "-m", "pytest", *(words or ["-n", "3"])]
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches pytest too, which ends its tests in order
    tests = subprocess.Popen(command, cwd=ROOT, env={**inside(run_dir()), mark[0]: mark[1]})
    signal.signal(signal.SIGTERM, lambda *_: os.kill(tests.pid, signal.SIGINT))
    code = tests.wait()
    end_marked("=".join(mark))
    return code

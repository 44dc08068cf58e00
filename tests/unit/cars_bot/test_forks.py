"""A worker's parent forks while its other threads work. A child must not wait for locks that these threads held."""

import os
import subprocess
import sys

from tests.kit import ROOT

# The logging thread waits again and again, in the middle of a line, because its reader is slow.
FORKS = """
import logging, os, signal, threading, time
from cars_bot.processes import heartbeat

logging.basicConfig(level="INFO", format="%(message)s")

def log_for_ever():
    while True:
        logging.info("x" * 100_000)

threading.Thread(target=log_for_ever, daemon=True).start()
for _ in range(30):
    child = os.fork()
    if child == 0:
        logging.info("from a child")
        os._exit(0)
    deadline = time.monotonic() + 10
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os._exit(3)
        time.sleep(0.001)
os._exit(0)
"""


def test_a_child_that_is_forked_while_another_thread_logs_can_log_too() -> None:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", FORKS]
    done = subprocess.run(command, cwd=ROOT, env=buffered, stderr=subprocess.PIPE, check=False, timeout=120)
    status, lines = done.returncode, done.stderr.count(b"from a child")
    assert status == 0, "a child waits for the log for ever"
    assert lines == 30

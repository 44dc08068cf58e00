"""Environment of a measurement: versions, processor, brokers, commit, seed, command line."""

import subprocess
import sys
import time
from typing import Any

from cars_bot.processes.machine import hardware, software
from experiments.processes import ROOT

PACKAGES = ("celery", "kombu", "billiard", "amqp", "redis", "pika", "httpx", "fastapi", "pytest")


def describe(seed: int, brokers: dict[str, str]) -> dict[str, Any]:
    """Return the environment, ready for JSON. `brokers` has their versions by their own report."""
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command_line": sys.orig_argv,
        "commit": answer(["git", "rev-parse", "HEAD"]),
        "changed_since": bool(answer(["git", "status", "--porcelain"])),
        "seed": seed,
        **software(PACKAGES),
        "brokers": brokers,
        **hardware(),
    }


def answer(words: list[str]) -> str:
    """Return the output of a program; an empty text if there is no such program or it fails."""
    try:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

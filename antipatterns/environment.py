"""Environment of a measurement: versions, processor, brokers, commit, seed, command line."""

import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

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
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "brokers": brokers,
        "system": platform.platform(),
        "processor": processor(),
        "processors": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }


def answer(words: list[str]) -> str:
    """Return the output of a program; an empty text if there is no such program or it fails."""
    try:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def processor() -> str:
    """Return the processor's name: on Linux the kernel's, elsewhere the one that Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()

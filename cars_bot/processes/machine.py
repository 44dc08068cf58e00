"""Machine and software of a measurement, for its record."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("celery", "kombu", "billiard", "amqp", "redis", "pika", "httpx", "fastapi", "SQLAlchemy")


def hardware() -> dict[str, Any]:
    """Return the processor, the memory and the system, ready for JSON."""
    return {
        "system": platform.platform(),
        "processor": processor(),
        "processors": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }


def software(packages: Sequence[str] = PACKAGES) -> dict[str, Any]:
    """Return the versions of Python and of the packages that are installed."""
    return {"python": platform.python_version(), "packages": {name: found for name in packages if (found := _of(name))}}


def processor() -> str:
    """Return the processor's name: on Linux the kernel's, elsewhere the one that Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

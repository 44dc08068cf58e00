"""The outside world for the tests: a real process on a free port, for as long as a block lasts."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.api.server import free_port
from tests.kit import NO_TLS, ROOT, until

START_SECONDS = 60  # it starts within one; a busy machine that also starts several kits takes far longer


@contextmanager
def stand_in() -> Iterator[tuple[str, int]]:
    """Start it. Yields its address, which is known before anything else starts, and its process id."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "outside_world", "--port", str(port)], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, "the outside world ended at once"
        try:
            return httpx.get(f"{address}/healthz", timeout=30, trust_env=False, verify=NO_TLS).status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(answers, START_SECONDS, "the outside world answers")
        yield address, process.pid
    finally:
        process.kill()
        process.wait()

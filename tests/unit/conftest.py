"""A private outside world for the unit tests: a real subprocess on a free port, and settings that point at it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cars_bot import database
from cars_bot.settings import settings

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60  # it starts within one; while several kits start beside it, a busy machine takes far longer


@pytest.fixture(scope="session")
def outside_world_url(outside_world_server: tuple[str, int]) -> str:
    """The address of a running stand-in, shared by all tests of the session."""
    return outside_world_server[0]


@pytest.fixture(scope="session")
def outside_world_server() -> Iterator[tuple[str, int]]:
    """Its address and its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "outside_world", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url):
            assert process.poll() is None, "the outside world ended at once"
            assert time.monotonic() < deadline, f"the outside world did not answer within {START_SECONDS} s"
            time.sleep(0.02)
        yield url, process.pid
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def outside_world(outside_world_url: str) -> Iterator[httpx.Client]:
    """An HTTP client for a freshly reset outside world."""
    with httpx.Client(base_url=outside_world_url, timeout=30, trust_env=False) as client:
        client.post("/_control/reset").raise_for_status()
        yield client


@pytest.fixture
def clients_use_it(outside_world: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The settings of this process point at the private outside world, whatever `.env` or a running kit say."""
    url = str(outside_world.base_url).rstrip("/")
    monkeypatch.setenv("KIT_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("OUTSIDE_WORLD_URL", url)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/openai/v1")
    monkeypatch.setenv("TELEGRAM_BASE_URL", f"{url}/telegram")
    monkeypatch.setenv("SHEETS_BASE_URL", f"{url}/google")
    monkeypatch.setenv("SPREADSHEET_ID", "unit-tests")
    settings.cache_clear()
    yield
    settings.cache_clear()


@contextmanager
def using_database(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process uses the database at `url`, with its tables."""
    monkeypatch.setenv("DATABASE_URL", url)
    settings.cache_clear()
    database.close()
    database.create_tables()
    yield
    settings.cache_clear()
    database.close()


@pytest.fixture
def fresh_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process uses a new SQLite file with empty tables, and no Redis: the ledger is lost, nothing else."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with using_database(f"sqlite:///{tmp_path / 'test.sqlite3'}", monkeypatch):
        yield


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False

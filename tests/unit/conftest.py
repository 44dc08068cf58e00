"""A private outside world for the unit tests: a real process on a free port, and settings that point at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cars_bot import database
from cars_bot.database import schema
from cars_bot.database.models import metadata
from cars_bot.settings import settings
from commands.servers import postgres_server
from tests.kit import NO_TLS
from tests.stand_in import stand_in


@pytest.fixture(scope="session")
def outside_world_url(outside_world_server: tuple[str, int]) -> str:
    """The address of a running stand-in, shared by all tests of the session."""
    return outside_world_server[0]


@pytest.fixture(scope="session")
def outside_world_server() -> Iterator[tuple[str, int]]:
    """The address and the process id of a running stand-in."""
    with stand_in() as found:
        yield found


@pytest.fixture
def outside_world(outside_world_url: str) -> Iterator[httpx.Client]:
    """An HTTP client for an outside world that was just reset."""
    with httpx.Client(base_url=outside_world_url, timeout=30, trust_env=False, verify=NO_TLS) as client:
        client.post("/_control/reset").raise_for_status()
        yield client


@pytest.fixture
def clients_use_it(outside_world: httpx.Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Point the settings of this process at the private outside world, whatever `.env` or a running kit say."""
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
    """Let this process use the database at `url`, with its tables."""
    monkeypatch.setenv("DATABASE_URL", url)
    settings.cache_clear()
    database.close()
    schema.create_tables()
    yield
    settings.cache_clear()
    database.close()


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty PostgreSQL database, shared by all tests of the session."""
    with postgres_server.running(tmp_path_factory.mktemp("postgresql") / "data") as server:
        yield server.get_uri()


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process use a database with empty tables, of each kind in turn, and no Redis."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    sqlite = f"sqlite:///{tmp_path / 'test.sqlite3'}"
    with using_database(
        sqlite if request.param == "sqlite" else request.getfixturevalue("postgresql_url"), monkeypatch
    ):
        with database.writing() as connection:
            for table in metadata.sorted_tables:
                connection.execute(table.delete())
        yield


@pytest.fixture
def fresh_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process use a new SQLite file with empty tables, and no Redis. Only the ledger is lost."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with using_database(f"sqlite:///{tmp_path / 'test.sqlite3'}", monkeypatch):
        yield

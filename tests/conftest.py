"""What all tests share: one kit for a whole session, because starting brokers takes seconds."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit import Kit, running


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which databases the shared kit is tried on."""
    parser.addoption("--databases", default="sqlite,postgresql", help="for the contract tests; the default is both")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test of the shared kit once per database."""
    if "kit" in metafunc.fixturenames:
        # Interned, because pytest keeps a fixture only while its parameter is the very same object.
        databases = map(sys.intern, metafunc.config.getoption("--databases").split(","))
        metafunc.parametrize("kit", databases, indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For xdist: tests that share servers stay in one process, which is by file, but for the shared kit by database."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        shared = callspec.params.get("kit") if callspec else None
        item.add_marker(pytest.mark.xdist_group(f"kit-{shared}" if shared else item.path.stem))


@pytest.fixture(scope="session")
def kit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """The kit that the tests of a session share. A test that breaks something in it must wait until it is mended."""
    folder = tmp_path_factory.mktemp("kit")
    if request.param == "sqlite":
        with running(folder) as up:
            yield up
    else:
        with postgresql(folder) as url, running(folder / "run", DATABASE_URL=url) as up:
            yield up


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A PostgreSQL of the tests' own, from the package `pgserver`; yields its URL."""
    import pgserver

    for part in (folder, *folder.parents):  # as root it runs as a user of its own, who has to get there
        if part.stat().st_uid == 0 and part != Path(part.anchor):
            part.chmod(part.stat().st_mode | 0o011)
    server = pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


@pytest.fixture(params=["celery", "raw"])
def lane(request: pytest.FixtureRequest) -> str:
    """Each lane that travels through a broker, in turn."""
    return str(request.param)


@pytest.fixture(params=["celery", "raw", "inline"])
def any_lane(request: pytest.FixtureRequest) -> str:
    """Every lane, in turn."""
    return str(request.param)


@pytest.fixture
def worker(lane: str) -> str:
    """The name of the lane's first worker process."""
    return {"celery": "celery_worker-1", "raw": "consumer-1"}[lane]

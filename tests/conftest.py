"""Fixtures and options of all tests. One kit serves a whole session, because starting brokers takes seconds."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from commands.servers import postgres_server
from commands.servers.user_settings import SETTINGS
from tests.kit import Kit, running

DATABASES = ("sqlite", "postgresql")
# Tests in these files use the fixture `own_kit`, except those that use the shared kit.
ROUGH = ("features", "lost_channels", "schedule", "secrets", "workflow")
OWN_KIT = [f"tests/contract/test_{name}.py" for name in ROUGH]
# In these files, the tests of the shared kit take long. Another process runs them, with its own kit.
APART = ("ascii", "dead_letters", "odd_messages", "outside", "revoke")
OVER_REDIS = "_redis"  # at the end of a database's name: Redis is the broker of the Celery lane
# The tests ignore a developer's own `.env`, shell and running kit.
os.environ["KIT_ENV_FILE"] = os.devnull
os.environ["KIT_RUN_DIR"] = str(Path(os.devnull) / "no-kit")
for setting in (*SETTINGS, "KIT_URL"):
    os.environ.pop(setting, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options: the databases and the Celery lane's brokers for the shared kit, and the faults to run."""
    parser.addoption("--databases", default=",".join(DATABASES), help="for the contract tests; the default is both")
    parser.addoption("--celery-broker", default="amqp", help="for the contract tests: amqp, redis or amqp,redis (amqp)")
    parser.addoption("--faults", choices=("quick", "all", "soak"), default="quick", help="how many of the fault tests")
    parser.addoption("--fault-report", metavar="FOLDER", help="where each fault test leaves its verdict")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test of the shared kit once per database and broker."""
    if "kit" in metafunc.fixturenames:
        # These strings are interned: pytest keeps a fixture only while its parameter is the very same object.
        databases, brokers = (
            metafunc.config.getoption(f"--{name}").split(",") for name in ("databases", "celery-broker")
        )
        suffixes = [{"amqp": "", "redis": OVER_REDIS}[broker] for broker in brokers]
        kits = [sys.intern(database + suffix) for suffix in suffixes for database in databases]
        metafunc.parametrize("kit", kits, indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest files first, so that several processes end at about the same time."""
    slowest = ("test_dead_letters", "test_lanes", "test_brokers", "test_workers", "test_network",
               "test_storage", "test_outside_world", "test_crash_points", "test_kit_lifecycle",
               "test_raw_faults", "test_raw_lane", "test_accessibility", "test_page")  # fmt: skip
    items.sort(key=lambda item: slowest.index(item.path.stem) if item.path.stem in slowest else len(slowest))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests out to several processes (`-n 3`).

    Tests that share servers stay together: by file, or by the shared kit's database.
    """
    from xdist.scheduler import LoadScopeScheduling

    quick = config.getoption("faults") == "quick"

    class ByServers(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            if file.startswith("tests/labs/"):  # each process has servers for these; the quick lab stays in one
                return "the quick lab" if "[lab01_" in test else nodeid
            if test.startswith("test_a_long_command_that_needs_no_kit"):
                return nodeid
            parameters = test.partition("[")[2].rstrip("]").split("-")
            kits = [database + suffix for database in DATABASES for suffix in ("", OVER_REDIS)]
            shared = (
                "own kit" if file in OWN_KIT else "broken kit" if quick and file.startswith("tests/faults/") else file
            )
            apart = " apart" if Path(file).stem.removeprefix("test_") in APART else ""
            return next((name + apart for name in kits if name in parameters), shared)

    config.option.loadscopereorder = False
    return ByServers(config, log)


@pytest.fixture(scope="session")
def kit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """The kit that all tests of a session share. A test that breaks something in it must wait until it works again."""
    folder = tmp_path_factory.mktemp("kit")
    environment = {"CELERY_BROKER_URL": "redis://"} if request.param.endswith(OVER_REDIS) else {}
    if request.param.startswith("sqlite"):
        with running(folder, **environment) as up:
            yield up
    else:
        with (
            postgres_server.running(folder / "postgresql") as server,
            running(folder / "run", DATABASE_URL=server.get_uri(), **environment) as up,
        ):
            yield up


@pytest.fixture(params=["celery", "raw"])
def lane(request: pytest.FixtureRequest) -> str:
    """Each lane with a broker, in turn."""
    return str(request.param)


@pytest.fixture(params=["celery", "raw", "inline"])
def any_lane(request: pytest.FixtureRequest) -> str:
    """Every lane, in turn."""
    return str(request.param)


@pytest.fixture
def worker(lane: str) -> str:
    """The name of the lane's first worker process."""
    return {"celery": "celery_worker-1", "raw": "consumer-1"}[lane]

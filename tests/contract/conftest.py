"""Fixtures of the contract tests: the raw lane alone, on its own servers, and a kit that tests may break."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.raw_lane import raw, servers
from tests.contract.test_secrets import SECRETS
from tests.kit import Kit, running
from tests.stand_in import stand_in

__all__ = ["raw", "servers"]

CHILDREN_LIVE_FOR = 3  # jobs
# Beat and the scheduler are left out, because the tests start their own.
PROCESSES = ("rabbitmq", "redis", "api", "celery_worker", "consumer")


@pytest.fixture(scope="session")
def crash_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that prevents a crash.

    Without it, a worker of `own_kit` dies between outcome and acknowledgement, and creates it.
    """
    path = tmp_path_factory.mktemp("crash") / "once"
    path.touch()
    return path


@pytest.fixture(scope="session")
def own_kit(tmp_path_factory: pytest.TempPathFactory, crash_file: Path) -> Iterator[Kit]:
    """A kit whose workers a test may stop, scale and kill. It has keys, and its children are replaced often."""
    with (
        stand_in() as (world, _),
        running(
            tmp_path_factory.mktemp("own"),
            *PROCESSES,
            JOBS_PER_CHILD=str(CHILDREN_LIVE_FOR),
            EXTRA_JOBS="tests.contract.jobs,tests.contract.ticks,tests.contract.brief",
            CRASH_AT="after-outcome",
            CRASH_ONCE=str(crash_file),
            OUTSIDE_WORLD_URL=world,
            OPENAI_BASE_URL=f"{world}/openai/v1",
            TELEGRAM_BASE_URL=f"{world}/telegram",
            **SECRETS,
        ) as up,
    ):
        yield up

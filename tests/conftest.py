"""What all tests share: one kit for a whole session, because starting brokers takes seconds."""

from collections.abc import Iterator

import pytest

from tests.kit import Kit, running


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """The kit that the tests of a session share. A test that breaks something in it must wait until it is mended."""
    with running(tmp_path_factory.mktemp("kit")) as up:
        yield up


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

"""Fixtures of the API's tests: one server for the session, or a fresh one for a test that breaks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.server import Server, redis_server, serving


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis for the tests of the session."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Server]:
    """A server that the tests share. No test may rely on it being empty."""
    with serving(tmp_path_factory.mktemp("api"), redis_url) as up:
        yield up


@pytest.fixture
def own_server(tmp_path: Path, redis_url: str) -> Iterator[Server]:
    """An empty server for one test, which may kill it."""
    with serving(tmp_path, redis_url.removesuffix("0") + "1") as up:
        yield up


@pytest.fixture
def without_redis(tmp_path: Path) -> Iterator[Server]:
    """A server whose Redis is away."""
    with serving(tmp_path, "redis://127.0.0.1:1/0") as up:
        yield up

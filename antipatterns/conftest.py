"""Fixtures: the servers that all experiments of one test process share, and the option --repeat."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from antipatterns.experiment import RESULTS
from experiments.ground import Ground, ground


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option --repeat K."""
    parser.addoption("--repeat", type=int, default=1, help="run every experiment K times")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat each test that needs the servers K times."""
    times = metafunc.config.getoption("--repeat")
    if "servers" in metafunc.fixturenames and times > 1:
        metafunc.fixturenames.append("time_of_many")
        metafunc.parametrize("time_of_many", range(1, times + 1))


@pytest.fixture(scope="session")
def servers() -> Iterator[Ground]:
    """Start a private RabbitMQ, Redis and outside world, and stop them after the last test."""
    with ground() as started:
        if folder := os.environ.get(RESULTS):
            (Path(folder) / "brokers.json").write_text(json.dumps(started.versions()), encoding="utf-8")
        yield started

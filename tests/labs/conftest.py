"""The servers that the trials of one test process share."""

from collections.abc import Iterator

import pytest

from experiments.ground import Ground, ground


@pytest.fixture(scope="session")
def servers() -> Iterator[Ground]:
    """A private RabbitMQ, Redis and messenger."""
    with ground() as started:
        yield started

"""Fault 12: Celery over Redis, and a task that Redis has handed to a worker which never saw it."""

import os
import signal
from collections.abc import Iterator

import pytest
import redis

from tests.api.server import free_port
from tests.faults.conftest import JOBS, PROCESSES
from tests.faults.trial import Trial
from tests.kit import Kit, running, until


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A kit whose Celery lane uses the kit's Redis as its broker.

    The address names a free port, so the kit starts Redis there.
    """
    broker = f"redis://127.0.0.1:{free_port()}/1"
    with running(tmp_path_factory.mktemp("broken"), *PROCESSES, EXTRA_JOBS=JOBS, CELERY_BROKER_URL=broker) as up:
        yield up


@pytest.mark.fault(12, "Redis as broker: a task in the BRPOP window", lane="celery")
def test_a_task_that_redis_gave_to_a_dead_worker_is_published_again(trial: Trial) -> None:
    trial.submit(count=5)
    trial.reach("DONE", 5)
    broker = redis.Redis.from_url(trial.settings.celery_broker_url)
    worker = trial.kit.pid("celery_worker-1")
    os.kill(worker, signal.SIGSTOP)  # the worker waits in BRPOP, so Redis gives the next task to its socket
    (lost,) = trial.submit()
    until(lambda: trial.kit.run(lost)["published_at"], 10, "the task is sent")
    until(lambda: broker.llen("default") == 0 and not broker.hexists("unacked", lost), 5, "Redis has it no more")
    trial.kit.kill_group("celery_worker-1")
    broker.close()
    trial.healed()

    verdict = trial.survives(within=90)["celery"]
    assert (verdict.done, verdict.recovered) == (6, 1)

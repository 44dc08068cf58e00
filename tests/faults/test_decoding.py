"""Fault 37: frames, headers and packed bodies that the client library cannot decode, or that Celery does not check."""

from pathlib import Path

import pytest

from tests.contract.dead_letters import EXCHANGES
from tests.contract.odd_messages import Odd, celery_only, packed, publish_each, undecodable
from tests.faults.trial import Trial
from tests.kit import until

UNREADABLE = pytest.mark.fault(37, "a frame, header or packed body that the library cannot decode")
BOUND = 150  # MB of extra memory that a worker's parent may take for a moment


def most(pid: int) -> int:
    """The most memory, in MB, that a process has had since the last call."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


def is_put_aside(trial: Trial, lane: str, worker: str, messages: dict[str, Odd]) -> None:
    """Send the messages between good runs. Each must become a dead letter, and no process of the worker may end."""
    before, dead = trial.kit.family(worker), trial.dead_letters(lane)
    trial.submit(count=5)
    sent = 0
    for _ in range(2):  # a message that stops a worker comes again; a message that was put aside does not
        taken = publish_each(trial.channel, EXCHANGES[lane], messages)
        assert taken == messages.keys(), f"the broker refuses {messages.keys() - taken}"
        sent += len(taken)
    trial.submit(count=5)
    until(lambda: trial.dead_letters(lane) == dead + sent, 60, f"{sent} are put aside")
    assert trial.kit.family(worker) == before, "a process ended over it"


@UNREADABLE
@pytest.mark.quick
def test_what_cannot_be_decoded_is_put_aside_and_the_worker_lives(trial: Trial, lane: str, worker: str) -> None:
    is_put_aside(trial, lane, worker, undecodable(lane) | (celery_only() if lane == "celery" else {}))
    trial.healed()

    assert trial.survives(within=60)[lane].done == 10


@UNREADABLE
@pytest.mark.quick
def test_a_small_body_that_unpacks_to_gigabytes_is_put_aside_unread(trial: Trial, lane: str, worker: str) -> None:
    parents = trial.kit.family(worker)
    for pid in parents:
        most(pid)
    before = {pid: most(pid) for pid in parents}
    is_put_aside(trial, lane, worker, packed(lane, megabytes=256))
    after = {pid: most(pid) for pid in parents}
    trial.healed()

    assert {pid: after[pid] - before[pid] for pid in parents if after[pid] > before[pid] + BOUND} == {}
    assert trial.survives(within=60)[lane].done == 10

"""Fault 35: several schedulers, with clocks that are ten minutes off."""

import time
from pathlib import Path

import pytest

from cars_bot.schedule import run_id
from tests.contract.test_schedule import due_time, schedulers, ticks
from tests.faults.trial import Trial
from tests.kit import until

CLOCKS = (0.0, 0.0, 600.0, -600.0)  # seconds ahead; the two zeros produce the same due times


@pytest.mark.fault(35, "several schedulers, clocks ten minutes off")
@pytest.mark.parametrize("lane", ["raw", "celery"])
def test_schedulers_with_clocks_ten_minutes_off_give_one_run_per_slot(trial: Trial, lane: str, tmp_path: Path) -> None:
    began = time.time()
    with schedulers(trial.kit, lane, tmp_path, *CLOCKS) as started:
        until(lambda: len(ticks(trial.kit, lane, began)) >= 12, 60, "twelve due times")
        if lane == "celery":  # on the raw lane one leads, and the others log nothing
            until(lambda: min(each.sent() for each in started) >= 5, 60, "each has sent five")
    trial.healed()
    queue = {"celery": "monitoring", "raw": "raw.monitoring"}[lane]
    until(lambda: trial.depth(queue) == 0, 30, "what the schedulers sent last has come")
    trial.submit()
    trial.reach("DONE")

    found = ticks(trial.kit, lane, began)
    trial.accepted[lane] += [run_id(lane, "often", due_time(each)) for each in found]  # any other run is unexpected
    assert len({due_time(each) for each in found}) == len(found)
    assert trial.survives(within=30)[lane].done == len(found) + 1

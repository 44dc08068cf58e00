"""Fault 36: an outcome that the database always refuses. The database is PostgreSQL, which checks its values."""

from collections.abc import Iterator

import pytest

from commands.servers import postgres_server
from tests.contract.test_by_hand import python
from tests.faults.conftest import JOBS, PROCESSES
from tests.faults.trial import Trial
from tests.kit import Kit, running

REFUSED = pytest.mark.fault(36, "an outcome the database refuses for good")
TOLD = {
    "too long": "channels.title of 300 characters, over 256",
    "a NUL": "NUL",
    "half an emoji": "surrogates not allowed",
    "a number of 400 digits": "its outcome cannot be stored",
    "null": "null value",
    "an error with half an emoji": "Permanent: \ufffd and \ufffd",
    "the next run's arguments": "task_num: Input should be a valid integer",
    "a priority out of range": "takes 0 to 5",
    "a step that has ended": "its outcome cannot be stored",
}
A_LONG_CELL = """
from cars_bot.clients import spreadsheet
spreadsheet.append("Channels", ["username", "title", "active"], [["long", "x" * 300, "yes"]])
"""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A kit on PostgreSQL."""
    folder = tmp_path_factory.mktemp("broken")
    with (
        postgres_server.running(folder / "postgresql") as server,
        running(folder / "run", *PROCESSES, EXTRA_JOBS=JOBS, DATABASE_URL=server.get_uri()) as up,
    ):
        yield up


@REFUSED
def test_what_can_never_be_stored_ends_failed_at_once_in_words_and_no_process_dies(
    trial: Trial, lane: str, worker: str
) -> None:
    family = trial.kit.family(worker)
    python(trial.kit, A_LONG_CELL)
    bad = {kind: trial.submit("come_to_what_is_refused", args={"kind": kind})[0] for kind in TOLD}
    (cell,) = trial.kit.submit(lane, "sync_channels")  # a scheduled job, which the checker leaves out
    trial.submit(count=10)
    trial.healed()

    assert trial.survives(within=60, failed=len(TOLD))[lane].done == 10
    errors = {kind: trial.kit.run(run_id) for kind, run_id in bad.items()}
    assert {kind: run["attempt"] for kind, run in errors.items()} == dict.fromkeys(TOLD, 1)
    assert {kind: run["error"] for kind, run in errors.items() if TOLD[kind] not in run["error"]} == {}
    told = trial.kit.ended(cell)
    assert (told["state"], told["attempt"]) == ("FAILED", 1)
    assert "300 characters" in told["error"]
    assert trial.kit.family(worker) == family, "a process died of it"
    assert trial.put_aside(lane, [*bad.values(), cell]) == sorted([*bad.values(), cell])

"""A message that waited in its worker has its own line in the ledger, so that this wait can be seen."""

from pathlib import Path

import pytest

from cars_bot import database, ledger, runs
from cars_bot.catalogue import JOBS
from cars_bot.context import Delivery
from cars_bot.execution import HELD_SECONDS, execute
from cars_bot.outcome import Done
from cars_bot.processes import clock
from tests.api.server import redis_server
from tests.unit.conftest import using_database


@pytest.mark.parametrize(("held", "events"), [(5.0, ["delivered", "started"]), (HELD_SECONDS / 10, ["started"])])
def test_where_a_run_waited_is_written_down(
    held: float, events: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_server(tmp_path) as redis_url:
        monkeypatch.setenv("REDIS_URL", redis_url)
        monkeypatch.setattr(ledger, "_writer", None)
        with using_database(f"sqlite:///{tmp_path / 'test.sqlite3'}", monkeypatch):
            with database.writing() as connection:
                run_id = runs.accept(connection, JOBS["debug_task"], "raw", {})
            received_at = clock.now() - held
            outcome = execute(Delivery(run_id, "debug_task", {}, "raw", received_at=received_at), worker="w/1")
            ledger.flush()
            told = [event for event in ledger.history(ledger.connect()) if event.run == run_id]

    assert isinstance(outcome, Done)
    assert [event.event for event in told][: len(events)] == events
    assert told[0].event == "started" or told[0].at == pytest.approx(received_at, abs=0.01)

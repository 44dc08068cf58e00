"""The table of `kit test-faults`: its sums are right, and it does not call the suite survived too early."""

from typing import Any

import pytest

from commands import test_faults as command


def line(fault: int, lane: str = "raw", verdict: str = "true", **counts: Any) -> dict[str, Any]:
    usual = {"fault": fault, "name": f"fault {fault}", "lane": lane, "test": f"test_{fault}", "verdict": verdict,
             "recovery": 1.0, "problems": []}  # fmt: skip
    return usual | dict.fromkeys(command.COUNTS, 0) | counts


ALL = [line(number) for number in range(1, command.HOW_MANY + 1)]


def test_several_tests_of_a_fault_on_a_lane_are_one_row_with_the_worst_verdict_of_them() -> None:
    rows = command.combined([
        line(18, accepted=5, done=5, recovery=2.0),
        line(18, accepted=7, done=6, lost=1, verdict="false", problems=["one is lost"]),
        line(18, "celery", accepted=1, done=1),
    ])  # fmt: skip

    assert [(row["lane"], row["accepted"], row["lost"], row["verdict"]) for row in rows] == [
        ("celery", 1, 0, "true"),
        ("raw", 12, 1, "false"),
    ]
    assert rows[1]["recovery"] == 2.0
    assert "18 raw: one is lost" in command.conclusion(rows)


def test_the_table_has_a_line_for_each_row_and_says_how_many_were_survived() -> None:
    rows = command.combined(ALL)

    assert len(command.as_table(rows).splitlines()) == command.HOW_MANY + 1
    assert command.conclusion(rows) == "38 of 38 faults survived"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ([], "37 of 38 faults survived; 9 missing"),
        ([line(9, verdict="false")], "37 of 38 faults survived; 9 false"),
        ([line(9), line(9, "celery", verdict="unknown")], "37 of 38 faults survived; 9 unknown"),
    ],
)
def test_a_fault_that_is_missing_false_or_unknown_is_not_survived(change: list[dict[str, Any]], words: str) -> None:
    rows = command.combined([each for each in ALL if each["fault"] != 9] + change)

    assert command.conclusion(rows) == words

"""Comparisons as people read and type them: conditions as text, commands, and two results beside each other."""

import random
import shlex
from typing import Any, get_args

import pytest

from cars_bot.comparisons.for_people import card
from cars_bot.comparisons.for_people.beside import figures
from cars_bot.comparisons.for_people.command_line import LONGEST_WORD, command
from cars_bot.comparisons.for_people.condition_text import parsed, plain, written
from cars_bot.comparisons.for_people.differences import Conditions, differences
from cars_bot.comparisons.percentiles import spread
from cars_bot.comparisons.request import FAULTS, ComparisonRequest, Condition
from cars_bot.errors import InvalidArguments


def any_condition(chance: random.Random) -> Condition:
    """A condition with random values in the fields that concern its fault."""
    what = chance.choice(list(FAULTS))
    values = {
        "lane": chance.choice([None, "celery", "raw"]), "workers": chance.randint(1, 8),
        "calls": chance.randint(1, 10_000), "seconds": chance.choice([0.00001, 3.0, chance.uniform(0.001, 3_600)]),
    }  # fmt: skip
    at = chance.choice([0.0, 2.0, 1e-07, chance.uniform(0, 3_600)])
    return Condition.model_validate({"at": at, "what": what} | {name: values[name] for name in FAULTS[what].takes})


def test_the_table_of_faults_has_each_fault_and_only_real_fields() -> None:
    assert tuple(FAULTS) == get_args(Condition.model_fields["what"].annotation)
    assert {name for fault in FAULTS.values() for name in fault.takes} == set(Condition.model_fields) - {"at", "what"}


def test_a_written_condition_is_read_as_the_same_condition() -> None:
    chance = random.Random(1)
    for _ in range(2_000):
        condition = any_condition(chance)
        assert parsed(written(condition)) == condition


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("2s:kill-worker", {"at": 2.0, "what": "kill-worker"}),
        ("2s:kill-child:raw", {"at": 2.0, "what": "kill-child", "lane": "raw"}),
        ("1.5s:freeze-worker:3s", {"at": 1.5, "what": "freeze-worker", "seconds": 3.0}),
        ("1s:freeze-worker:3s:raw", {"at": 1.0, "what": "freeze-worker", "lane": "raw", "seconds": 3.0}),
        ("2s:scale:celery:3", {"at": 2.0, "what": "scale", "lane": "celery", "workers": 3}),
        ("0s:hang:2:5s", {"at": 0.0, "what": "hang", "calls": 2, "seconds": 5.0}),
        ("1s:restart-broker", {"at": 1.0, "what": "restart-broker"}),
    ],
)
def test_the_form_of_a_value_tells_its_name(text: str, condition: dict[str, Any]) -> None:
    assert parsed(text) == Condition.model_validate(condition)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kill-worker", "no condition; write"), ("2:kill-worker", "no condition"), ("", "no condition"),
        ("-1s:error", "no condition"), ("2s:explode", "no fault is called 'explode'; there are: kill-worker"),
        ("2s:kill-worker:3", "kill-worker takes no calls; leave out '3'"),
        ("2s:empty-redis:raw", "empty-redis takes no lane"),
        ("2s:error:3s", "error takes no seconds"), ("2s:scale:2:3", "workers stands there twice"),
        ("2s:kill-worker:moon", "lane: Input should be 'celery' or 'raw'"), ("2s:scale:99", "workers: Input should be"),
        ("2s:error:" + "9" * 5_000, "lane: Input should be"), ("9999s:error", "at: Input should be"),
        ("2s:error:", "lane: Input should be 'celery' or 'raw'"), ("2s:empty-redis:", "takes no lane; leave out ''"),
    ],
)  # fmt: skip
def test_a_wrong_condition_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        parsed(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(("number", "text"), [(1.0, "1"), (0.25, "0.25"), (1e-07, "0.0000001"), (1e21, "1" + "0" * 21)])
def test_a_number_is_written_without_an_exponent(number: float, text: str) -> None:
    assert plain(number) == text


def test_the_usual_comparison_needs_no_option() -> None:
    assert command(ComparisonRequest()) == "./kit compare"


def test_a_command_holds_only_what_is_unusual_and_one_row_for_equal_jobs() -> None:
    job, other = {"job": "process_task", "args": {"task_num": 1, "timeout": 0.5}}, {"job": "debug_task"}
    request = ComparisonRequest.model_validate(
        {"jobs": [job, other, other], "count": 6, "arrivals": {"burst": 2, "every": 1.5}, "priorities": [0, 5]}
    )
    assert shlex.split(command(request) or "") == [
        "./kit", "compare", "--job", "process_task", "--args", '{"task_num": 1, "timeout": 0.5}', "--times", "1",
        "--job", "debug_task", "--args", "{}", "--times", "2", "--count", "6", "--burst", "2", "--every", "1.5",
        "--priorities", "0,5",
    ]  # fmt: skip


def test_there_is_no_command_for_arguments_that_no_shell_passes_on() -> None:
    long = {"jobs": [{"job": "classify_post", "args": {"text": "ж" * LONGEST_WORD}}]}
    assert command(ComparisonRequest.model_validate(long)) is None


def lane(times: int, **more: Any) -> card.Lane:
    """The figures of a lane that did so many jobs of one second."""
    found = dict.fromkeys(card.COUNTS, 0) | {"accepted": times, "done": times}
    found |= {part: spread([1.0] * times) for part in ("working", "total")}
    empty = {part: spread([]) for part in ("waiting", "pausing")}
    return found | empty | {"per_second": 2.0, "cpu_seconds": 0.5, "memory_bytes": None} | more


def table(lanes: list[str], a: dict[str, card.Lane], b: dict[str, card.Lane]) -> dict[tuple[str, str], Any]:
    return {(row["name"], row["share"]): row["lanes"] for row in figures(lanes, a, b)}


def test_each_figure_has_both_values_and_their_difference() -> None:
    rows = table(["raw"], {"raw": lane(20)}, {"raw": lane(25, failed=2, per_second=2.5)})

    assert rows["done", ""] == {"raw": [20, 25, 5]}
    assert rows["failed", ""] == {"raw": [0, 2, 2]}
    assert rows["per_second", ""] == {"raw": [2.0, 2.5, 0.5]}
    assert rows["total", "p95"] == {"raw": [1.0, 1.0, 0.0]}
    assert rows["memory_bytes", ""] == {"raw": [None, None, None]}
    assert ("waiting", "max") not in rows


def test_a_percentile_stands_there_only_if_both_support_it() -> None:
    rows = table(["raw"], {"raw": lane(20)}, {"raw": lane(4)})

    assert rows["total", "p50"] == {"raw": [1.0, 1.0, 0.0]}
    assert ("total", "p95") not in rows
    assert rows["total", "max"] == {"raw": [1.0, 1.0, 0.0]}


def test_a_lane_of_only_one_comparison_keeps_its_values() -> None:
    rows = table(["celery", "raw"], {"celery": lane(20), "raw": lane(4)}, {"raw": lane(20)})

    assert rows["done", ""] == {"celery": [20, None, None], "raw": [4, 20, 16]}
    assert rows["total", "p95"] == {"celery": [1.0, None, None], "raw": [None, None, None]}


MACHINE = {
    "kit": "1", "when": "now", "memory_bytes": 8e9, "packages": {"celery": "5.6", "redis": "7"},
    "brokers": {"redis": "7.0"}, "workers": [{"name": "w-1", "lane": "raw", "host": "here", "pid": 1}],
}  # fmt: skip


def unlike(first: dict[str, Any], second: dict[str, Any], **environment: Any) -> list[tuple[str, str, str]]:
    a, b = (ComparisonRequest.model_validate(wanted) for wanted in (first, second))
    return differences(Conditions(a, False, MACHINE), Conditions(b, False, MACHINE | environment))


def test_equal_conditions_have_no_differences_whatever_name_and_moment() -> None:
    assert unlike({"name": "one"}, {"name": "two"}, when="later") == []


def test_only_what_differs_in_the_requests_is_named() -> None:
    first = {"count": 20, "arrivals": {"per_second": 5}, "conditions": [{"at": 1.0, "what": "kill-worker"}]}
    second = {"count": 40, "arrivals": {"burst": 5, "every": 2}, "jobs": [{"job": "debug_task"}] * 2}

    assert unlike(first, second) == [
        ("jobs", "process_post()", "2 × debug_task()"), ("jobs on each lane", "20", "40"),
        ("arrivals", "5 a second", "5 every 2 s"), ("faults", "1s:kill-worker", "–"),
    ]  # fmt: skip


def test_versions_workers_and_servers_are_compared() -> None:
    two = [*MACHINE["workers"], {"name": "w-2", "lane": "raw", "host": "there", "pid": 1}]
    found = unlike({}, {}, packages={"celery": "5.7", "redis": "7"}, brokers={}, workers=two)

    assert found == [
        ("machine", "here", "here, there"), ("workers of raw", "1", "2"), ("server redis", "7.0", "–"),
        ("package celery", "5.6", "5.7"),
    ]  # fmt: skip


def test_a_comparison_that_a_person_ended_says_so() -> None:
    request = ComparisonRequest()
    found = differences(Conditions(request, True, {}), Conditions(request, False, {}))

    assert found == [("ended", "by a person", "by itself")]


def test_two_long_values_that_differ_at_the_end_are_named_and_cut() -> None:
    texts = ["a" * 5_000 + end for end in "xy"]
    first, second = ({"jobs": [{"job": "classify_post", "args": {"text": text}}]} for text in texts)

    ((name, one, other),) = unlike(first, second)

    assert name == "jobs"
    assert len(one) == len(other) == 300

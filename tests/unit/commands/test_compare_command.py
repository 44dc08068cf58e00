"""`kit compare` and `kit comparisons show --beside`: the options as a request, and two results as a table."""

import argparse
import random
import shlex
from typing import Any

import pytest

from cars_bot.comparisons.for_people.command_line import command
from cars_bot.comparisons.presets import PRESETS
from cars_bot.comparisons.request import ComparisonRequest
from commands import compare
from commands.common import cards
from commands.common.console import USAGE, Problem
from tests.unit.cars_bot.test_comparison_texts import any_condition

SHOWN = {name: {"request": ComparisonRequest.model_validate(preset.request).model_dump()}
         for name, preset in PRESETS.items()}  # fmt: skip
AWKWARD = ["--count 5", "-x", "it's", '"two"', "a\\b $HOME `ls` *", "Машина 🚗", "=", "\u202e evil", "#no ;comment"]


def asked(*words: str) -> dict[str, Any]:
    """The body of the request that these words of a command line ask for."""
    parser = argparse.ArgumentParser()
    compare.arguments(parser)
    return compare.wanted(parser.parse_intermixed_args(list(words)), SHOWN)


def any_request(chance: random.Random) -> ComparisonRequest:
    """A request with random values, some of them awkward for a shell."""
    text = chance.choice(AWKWARD)
    jobs: list[dict[str, Any]] = [
        {"job": "process_task", "args": {"task_num": chance.randint(-5, 10**12), "timeout": chance.uniform(0, 3)}},
        {"job": "debug_task"}, {"job": "debug_task"}, {"job": "test_task", "args": {"message": text}},
        {"job": "process_post", "args": {"post_id": 3, "publish_to": None}},
    ]  # fmt: skip
    lanes: list[Any] = chance.choice([["celery"], ["raw", "celery"], ["celery", "raw", "inline"]])
    ways: list[dict[str, Any]] = [
        {},
        {"per_second": chance.uniform(1e-6, 1_000)},
        {"burst": 7, "every": chance.random()},
    ]
    wanted = {
        "name": text, "lanes": lanes, "jobs": chance.choices(jobs, k=chance.randint(1, 20)),
        "count": chance.randint(1, 10_000), "arrivals": chance.choice(ways),
        "priorities": chance.choices(range(6), k=chance.randint(1, 9)),
        "countdown": 0.0 if "inline" in lanes else chance.uniform(0, 1_000),
        "conditions": [any_condition(chance).model_dump() for _ in range(chance.randint(0, 4))],
        "deadline": chance.uniform(0.001, 3_600),
    }  # fmt: skip
    usual = chance.sample(sorted(wanted), chance.randint(0, len(wanted)))
    return ComparisonRequest.model_validate({name: value for name, value in wanted.items() if name not in usual})


def test_the_shown_command_asks_for_the_same_request_whatever_its_values() -> None:
    chance = random.Random(7)
    for _ in range(500):
        request = any_request(chance)
        shown = command(request)
        assert shown is not None
        kit, name, *words = shlex.split(shown)
        assert (kit, name) == ("./kit", "compare")
        assert ComparisonRequest.model_validate(asked(*words)) == request, shown


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_typed_out(name: str) -> None:
    request = ComparisonRequest.model_validate(PRESETS[name].request)
    assert ComparisonRequest.model_validate(asked(*shlex.split(command(request) or "")[2:])) == request


def test_without_options_it_leaves_everything_to_the_api() -> None:
    assert asked() == {}


def test_an_option_takes_the_place_of_the_presets_value() -> None:
    found = asked("--preset", "kill-worker", "--count", "100", "--at", "3s:empty-redis")

    preset = SHOWN["kill-worker"]["request"]
    assert found["conditions"] == [ComparisonRequest.model_validate(
        {"conditions": [{"at": 3.0, "what": "empty-redis"}]}).conditions[0].model_dump()]  # fmt: skip
    assert found | {"count": 40, "conditions": preset["conditions"]} == preset


def test_the_first_arguments_belong_to_the_first_job() -> None:
    assert asked("--job", "test_task", "--job", "debug_task", "--args", '{"message": "x"}', "--times", "2")["jobs"] == [
        {"job": "test_task", "args": {"message": "x"}}, {"job": "test_task", "args": {"message": "x"}},
        {"job": "debug_task", "args": {}},
    ]  # fmt: skip
    assert asked("--args", '{"post_id": 3}')["jobs"] == [{"job": "process_post", "args": {"post_id": 3}}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--preset", "moon"], "no preset is called 'moon'"), (["--at", "2s:moon"], "--at '2s:moon': no fault"),
        (["--args", "{"], "--args is not JSON"), (["--args", "[]"], "not a JSON object"),
        (["--job", "debug_task", "--args", "{}", "--args", "{}"], "more --args or --times than jobs"),
        (["--job", "debug_task", "--times", "0"], "--times 0 is out of range"),
        (["--job", "debug_task", "--times", "1000000000"], "--times 1000000000 is out of range"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_refused_in_words(words: list[str], said: str) -> None:
    with pytest.raises(Problem) as refused:
        asked(*words)
    assert said in refused.value.what
    assert refused.value.remedy
    assert refused.value.code == USAGE


@pytest.mark.parametrize("text", ["0;5", "high", "", "0,,5", "0.5"])
def test_priorities_that_are_no_whole_numbers_are_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        asked("--priorities", text)
    assert ended.value.code == USAGE
    assert "no list of whole numbers; write 0,5" in capsys.readouterr().err


def test_two_comparisons_are_one_table() -> None:
    def figure(name: str, share: str, kind: str, celery: list[float], raw: float) -> dict[str, Any]:
        return {"name": name, "share": share, "kind": kind, "lanes": {"celery": celery, "raw": [raw, None, None]}}

    found = {
        "sides": [{"name": "first", "verdict": "Well."}, {"name": "second", "verdict": "Not well."}],
        "differences": [{"name": "jobs on each lane", "sides": ["20", "25"]}],
        "lanes": ["celery", "raw"],
        "figures": [
            figure("done", "", "count", [20, 25, 5], 20),
            figure("lost", "", "count", [3, 3, 0], 0),
            figure("total", "p50", "seconds", [1.5, 1.0, -0.5], 2.0),
            figure("memory_bytes", "", "megabytes", [9e6, 8e6, -1e6], 9e6),
        ],
    }
    assert cards.two(found).splitlines() == [
        "",
        "A  first: Well.",
        "B  second: Not well.",
        "",
        "                   A   B",
        "jobs on each lane  20  25",
        "",
        "               celery A  celery B  celery B-A   raw A  raw B  raw B-A",
        "done                 20        25          +5      20      –        –",
        "lost                  3         3           0       0      –        –",
        "total p50        1.50 s    1.00 s     −500 ms  2.00 s      –        –",
        "worker memory      9 MB      8 MB       −1 MB    9 MB      –        –",
    ]

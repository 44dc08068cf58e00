"""The form of the antipatterns: numbers, files, marks, headings and index agree; broken and fixed differ in little."""

import json
import re

import pytest

from antipatterns.ap09_several_beats.experiment import due
from antipatterns.experiment import (
    HERE,
    Antipattern,
    Counts,
    Due,
    Experiment,
    all_of_them,
    differences,
    interval,
    limits,
)
from antipatterns.rows import gathered, incomplete
from antipatterns.show import difference
from experiments.evidence import Note

TWENTY = all_of_them()
EXPERIMENTS = [one for each in TWENTY for one in (each.on_celery, each.by_hand) if one]
HEADINGS = ["What it looks like", "Why it fails", "See it fail", "The fix", "The same by hand",
            "What the folklore gets wrong"]  # fmt: skip
A_DOZEN = 12


def name(one: Antipattern | Experiment) -> str:
    """The name of an antipattern, for the test's id."""
    return one.folder.name + getattr(one, "prefix", "")


def test_they_are_numbered_from_1_to_20() -> None:
    assert [each.number for each in TWENTY] == list(range(1, 21))


@pytest.mark.parametrize("one", EXPERIMENTS, ids=name)
def test_the_guilty_line_is_marked_in_broken_and_gone_in_fixed(one: Experiment) -> None:
    mark = re.compile(r"# antipattern: [\w-]+$", re.MULTILINE)
    assert mark.search(one.file("broken").read_text(encoding="utf-8"))
    assert not mark.search(one.file("fixed").read_text(encoding="utf-8"))


@pytest.mark.parametrize("one", EXPERIMENTS, ids=name)
def test_broken_and_fixed_differ_in_at_most_a_dozen_lines(one: Experiment) -> None:
    lines = difference(one)
    for sign in "-+":
        assert 0 <= sum(line.startswith(sign) and bool(line[1:].strip()) for line in lines) <= A_DOZEN
    assert any(line.startswith(("-", "+")) for line in lines)


@pytest.mark.parametrize("one", EXPERIMENTS, ids=name)
def test_an_example_can_be_read_at_a_glance(one: Experiment) -> None:
    for example in ("broken", "fixed"):
        assert len(one.file(example).read_text(encoding="utf-8").splitlines()) < 60


@pytest.mark.parametrize("each", TWENTY, ids=name)
def test_its_readme_has_the_name_and_the_headings(each: Antipattern) -> None:
    text = (each.folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {each.number}. {each.name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert f"$ ./kit antipattern run {each.number}\n" in text
    assert (f"$ ./kit antipattern run {each.number} --by-hand\n" in text) == (each.by_hand is not None)


@pytest.mark.parametrize("each", TWENTY, ids=name)
def test_its_readme_shows_the_difference_that_there_is(each: Antipattern) -> None:
    text = (each.folder / "README.md").read_text(encoding="utf-8")
    for one in (each.on_celery, each.by_hand):
        assert one is None or "\n".join(difference(one)).strip("\n") in text


@pytest.mark.parametrize("each", TWENTY, ids=name)
def test_it_has_a_test_of_its_own_for_both_examples(each: Antipattern) -> None:
    text = (each.folder / f"test_ap{each.number:02}.py").read_text(encoding="utf-8")
    assert {"def test_broken_", "def test_fixed_"} <= {
        found + "_" for found in re.findall(r"def test_[a-z]+(?=_)", text)
    }
    assert ("def test_by_hand_broken_" in text) == (each.by_hand is not None)


def test_the_index_lists_them_all_in_order() -> None:
    text = (HERE / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d+) \| \[(.+?)\]\((.+?)/README\.md\)", text, re.MULTILINE)
    assert listed == [(str(each.number), each.name, each.folder.name) for each in TWENTY]


def test_every_text_of_the_figures_is_there_in_russian() -> None:
    russian = json.loads((HERE / "labels_ru.json").read_text(encoding="utf-8"))
    shown = (
        {one.name for one in EXPERIMENTS} | {one.module.FIGURE[1] for one in EXPERIMENTS} | {"broken", "fixed", "due"}
    )
    assert russian.keys() == shown


@pytest.mark.parametrize(
    ("shown", "of", "low", "high"), [(10, 10, 0.722, 1.0), (0, 10, 0.0, 0.278), (1, 2, 0.095, 0.905)]
)
def test_the_interval_is_wilsons(shown: int, of: int, low: float, high: float) -> None:
    assert interval(shown, of) == pytest.approx((low, high), abs=0.001)


@pytest.mark.parametrize("one", EXPERIMENTS, ids=name)
def test_the_counts_that_are_due_make_broken_fail_and_fixed_hold(one: Experiment) -> None:
    due = one.module.DUE
    assert due.keys() == {"broken", "fixed"}
    assert due["broken"].keys() == due["fixed"].keys()
    for example, counts in due.items():
        for end in (0, 1):
            assert one.module.failed({name: limits(count)[end] for name, count in counts.items()}) == (
                example == "broken"
            )


@pytest.mark.parametrize(
    ("counts", "due", "differs"),
    [
        ({"ticks": 7, "Beats": 2}, {"ticks": 7, "Beats": 2}, []),
        ({"ticks": 9}, {"ticks": 7}, ["ticks: 9, due 7"]),
        ({"ticks": 9}, {"ticks": (9, 12)}, []),
        ({"ticks": 8}, {"ticks": (9, 12)}, ["ticks: 8, due 9 to 12"]),
        ({}, {"ticks": 7}, ["ticks: missing, due 7"]),
        ({"ticks": 7}, {}, ["ticks: 7, due not named"]),
        ({"ticks": float("nan")}, {"ticks": 7}, ["ticks: nan, due 7"]),
    ],
)
def test_every_count_that_is_not_as_due_is_named(counts: Counts, due: Due, differs: list[str]) -> None:
    assert differences(counts, due) == differs


def test_a_verdict_that_is_right_does_not_excuse_a_count_that_is_wrong() -> None:
    fixed = {
        "folder": "ap09_several_beats",
        "by_hand": False,
        "failed": False,
        "differs": ["ticks that came: 6, due 7"],
    }
    rows = gathered([{**fixed, "example": example} for example in ("broken", "fixed")])

    assert rows[0].differs() == [f"9 {example}: ticks that came: 6, due 7" for example in ("broken", "fixed")]


def test_a_repetition_that_did_not_come_to_its_end_is_missed() -> None:
    assert len(incomplete([], 3)) == 2 * len(EXPERIMENTS)
    assert incomplete([], 3)[0] == "1 Several Celery() apps, broken: 0 of 3 runs came to their end"


@pytest.mark.parametrize(
    ("at", "ticks"),
    [
        ([0, 1, 2, 3], 4),
        ([0, 0.5, 1.01, 1.52, 2.03], 3),  # two schedulers, half an interval apart
        ([0, 0.9, 1.0, 1.9, 2.0], 3),
        ([0, 1.1, 1.9, 3.0], 4),  # late and on time again
        ([0, 0.47, 1.47], 2),  # one tick is too early, as after the death of a leader
        ([0, 2.1], 3),  # one tick was missed
        ([], 0),
    ],
)
def test_ticks_that_come_too_early_are_none_that_were_due(at: list[float], ticks: int) -> None:
    assert due([Note(each, 1, "published") for each in at], every=1.0) == ticks

"""Each lab on real brokers: its starters, its solutions, and the typical mistakes of students."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from experiments.ground import Ground
from labs.lab import LANES, Lab, all_labs
from labs.verdict import Verdict, judge
from tests.labs.wrong import Wrong

QUICK = 1  # every test run tries this lab; the others are thorough


def cases(of: Any) -> list[Any]:
    """The cases of `of(lab)` for each lab, with names and marks."""
    return [
        pytest.param(
            lab, *case, id="-".join([lab.name, *name]), marks=() if lab.number == QUICK else pytest.mark.thorough
        )
        for lab in all_labs()
        for name, case in of(lab)
    ]


def wrong_ones(lab: Lab) -> Any:
    """The module that has the lab's STARTERS and WRONG."""
    return import_module(f"tests.labs.wrong.{lab.name[:5]}")


def tried(lab: Lab, lane: str, source: str, servers: Ground, folder: Path) -> Verdict:
    """The verdict of the check on a program."""
    program = folder / f"{lane}_lane.py"
    program.write_text(source, "utf-8")
    verdict = judge(lab, lane, program, servers)
    print(verdict.as_text())  # noqa: T201 - for whom it fails
    return verdict


@pytest.mark.parametrize(("lab", "lane"), cases(lambda _lab: [((lane,), (lane,)) for lane in LANES]))
def test_starter_is_invalid_for_the_labs_reason(lab: Lab, lane: str, servers: Ground, tmp_path: Path) -> None:
    verdict = tried(lab, lane, lab.starter(lane).read_text("utf-8"), servers, tmp_path)

    assert (verdict.verdict, verdict.mistake) == ("invalid", wrong_ones(lab).STARTERS[lane])
    assert verdict.requirements[-1].happened
    assert verdict.requirements[-1].look


@pytest.mark.parametrize(("lab", "lane"), cases(lambda _lab: [((lane,), (lane,)) for lane in LANES]))
def test_solution_is_valid(lab: Lab, lane: str, servers: Ground, tmp_path: Path) -> None:
    verdict = tried(lab, lane, lab.solution(lane).read_text("utf-8"), servers, tmp_path)

    assert (verdict.verdict, verdict.mistake) == ("valid", "")
    assert all(each.holds for each in verdict.requirements)


@pytest.mark.thorough  # a starter is a mistake with a name, too; some of these wait for something that never comes
@pytest.mark.parametrize(
    ("lab", "wrong"),
    cases(lambda lab: [((each.lane, each.name.replace(" ", "_")), (each,)) for each in wrong_ones(lab).WRONG]),
)
def test_typical_mistake_is_named(lab: Lab, wrong: Wrong, servers: Ground, tmp_path: Path) -> None:
    source = wrong.made_from(lab.solution(wrong.lane).read_text("utf-8"))

    verdict = tried(lab, wrong.lane, source, servers, tmp_path)

    assert (verdict.verdict, verdict.mistake) == ("invalid", wrong.mistake)

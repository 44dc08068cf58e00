"""Each lab on real brokers: its starters, its solutions and what students typically do instead."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from experiments.ground import Ground
from labs.lab import LANES, Lab, all_labs
from labs.verdict import Verdict, judge
from tests.labs.wrong import Wrong

QUICK = 1  # the lab that is tried in every test run; the others are thorough


def cases(of: Any) -> list[Any]:
    """What `of(lab)` gives for each lab, named and marked."""
    return [
        pytest.param(
            lab, *case, id="-".join([lab.name, *name]), marks=() if lab.number == QUICK else pytest.mark.thorough
        )
        for lab in all_labs()
        for name, case in of(lab)
    ]


def wrong_ones(lab: Lab) -> Any:
    """The module that has its STARTERS and WRONG."""
    return import_module(f"tests.labs.wrong.{lab.name[:5]}")


def tried(lab: Lab, lane: str, source: str, servers: Ground, folder: Path) -> Verdict:
    """What the check says of a program."""
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


@pytest.mark.thorough  # a starter is a mistake to be named, too; some of these wait for what never comes
@pytest.mark.parametrize(
    ("lab", "wrong"),
    cases(lambda lab: [((each.lane, each.name.replace(" ", "_")), (each,)) for each in wrong_ones(lab).WRONG]),
)
def test_typical_mistake_is_named(lab: Lab, wrong: Wrong, servers: Ground, tmp_path: Path) -> None:
    source = wrong.made_from(lab.solution(wrong.lane).read_text("utf-8"))

    verdict = tried(lab, wrong.lane, source, servers, tmp_path)

    assert (verdict.verdict, verdict.mistake) == ("invalid", wrong.mistake)

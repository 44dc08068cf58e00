"""The form of the labs: the parts that every lab has, and the commands that need no broker."""

import difflib
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from labs.lab import HINTS, LANES, Lab, all_labs
from labs.requirements import last_error
from tests.kit import ROOT

HEADINGS = [
    "Question",
    "Predict",
    "Run",
    "Change",
    "Run again",
    "What happened",
    "The other lane",
    "Check yourself",
    "Answers",
]
MOST_CHANGED = 60  # lines of a diff: a student edits 5 to 40
LABS = [pytest.param(lab, id=lab.name) for lab in all_labs()]


def kit_lab(*words: str, workspace: Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m labs …` on a workspace of its own."""
    environment = {"LABS_WORKSPACE": str(workspace), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "labs", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=60)


def test_they_are_numbered_from_1_without_a_gap() -> None:
    assert [lab.number for lab in all_labs()] == list(range(1, len(all_labs()) + 1))


@pytest.mark.parametrize("lab", LABS)
def test_readme_has_its_headings_in_order(lab: Lab) -> None:
    assert lab.readme.startswith(f"# {lab.number}. ")
    assert re.findall(r"^## (.*)$", lab.readme, re.MULTILINE) == HEADINGS
    assert "```mermaid\nsequenceDiagram" in lab.section("What happened")
    assert len(re.findall(r"^\d\. ", lab.section("Check yourself"), re.MULTILINE)) == 3
    assert len(re.findall(r"^\d\. ", lab.section("Answers"), re.MULTILINE)) == 3


def test_index_and_the_teachers_page_have_every_lab() -> None:
    index, teachers = ((ROOT / "labs" / name).read_text("utf-8") for name in ("README.md", "TEACHING.md"))
    listed = re.findall(r"^\| (\d+) \| \[(.+)\]\((\w+)/README.md\)", index, re.MULTILINE)
    assert listed == [(str(lab.number), lab.title, lab.name) for lab in all_labs()]
    for lab in all_labs():
        assert len(re.findall(rf"^\| {lab.number} ", teachers, re.MULTILINE)) == 2, "its time, and what goes wrong"


@pytest.mark.parametrize("lab", LABS)
def test_three_hints_grow(lab: Lab) -> None:
    assert len(lab.hints) == HINTS
    assert all(lab.hints)


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("lab", LABS)
def test_a_student_has_little_to_change(lab: Lab, lane: str) -> None:
    starter, solution = (path(lane).read_text("utf-8") for path in (lab.starter, lab.solution))
    changed = [line for line in difflib.ndiff(starter.splitlines(), solution.splitlines()) if line[0] in "+-"]
    assert "# TODO 1: " in starter
    assert "TODO" not in solution
    assert 0 < len(changed) <= MOST_CHANGED


@pytest.mark.parametrize("lab", LABS)
def test_nothing_is_used_that_comes_later(lab: Lab) -> None:
    for path in lab.folder.glob("*.py"):
        used = re.findall(r"labs\.(lab\d\d)", path.read_text("utf-8"))
        assert set(used) <= {lab.name[:5]}, f"{path.name} uses another lab's files"
        if lab.number < 3:
            assert "labs.consuming" not in path.read_text("utf-8"), "lab 2 builds it"


@pytest.mark.parametrize("lab", LABS)
def test_readmes_commands_exist(lab: Lab) -> None:
    lines = re.findall(r"^\$ (.*)$", lab.readme, re.MULTILINE)
    assert f"./kit lab start {lab.number}" in lines
    assert any(line.startswith(f"./kit lab check {lab.number}") for line in lines)


@pytest.mark.parametrize("lab", LABS)
def test_three_typical_mistakes_are_known(lab: Lab) -> None:
    wrong = import_module(f"tests.labs.wrong.{lab.name[:5]}").WRONG
    assert len(wrong) >= 3
    for each in wrong:
        assert each.made_from(lab.solution(each.lane).read_text("utf-8"))


def test_a_students_way_through_the_commands(tmp_path: Path) -> None:
    lab = all_labs()[0]
    mine = tmp_path / lab.name / "raw_lane.py"

    assert lab.title in kit_lab("list", workspace=tmp_path).stdout
    assert "./kit lab start 1" in kit_lab("check", "1", workspace=tmp_path).stderr
    assert kit_lab("start", "1", workspace=tmp_path).returncode == 0
    mine.write_text("# my own words\n", "utf-8")
    assert "left as it is" in kit_lab("start", "1", workspace=tmp_path).stdout
    assert mine.read_text("utf-8") == "# my own words\n"
    assert "+# my own words" in kit_lab("diff", "1", workspace=tmp_path).stdout

    shown = [kit_lab("hint", "1", workspace=tmp_path).stdout for _ in range(4)]
    assert [text.partition("\n")[0] for text in shown] == [f"Hint {n} of 3" for n in (1, 2, 3, 3)]
    refused = kit_lab("solution", "1", workspace=tmp_path)
    assert refused.returncode == 1
    assert "--anyway" in refused.stderr
    assert kit_lab("explain", "1", workspace=tmp_path).returncode == 1
    assert kit_lab("explain", "1", "--anyway", workspace=tmp_path).stdout.strip() == lab.section("What happened")

    assert "yours is" in kit_lab("solution", "1", "--lane", "raw", "--anyway", workspace=tmp_path).stdout
    assert mine.read_bytes() == lab.solution("raw").read_bytes()
    assert [path.read_text("utf-8") for path in mine.parent.glob("raw_lane.*-*.py")] == ["# my own words\n"]
    assert kit_lab("reset", "1", workspace=tmp_path).returncode == 0
    assert mine.read_bytes() == lab.starter("raw").read_bytes()
    known = json.loads(kit_lab("progress", "--json", workspace=tmp_path).stdout)
    asked_for = known[lab.name]["raw"].pop("solution")  # before the lab had passed, and for this lane alone
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", asked_for)
    assert known == {lab.name: {"hints": 3, "raw": {"checks": 0}}}


def test_there_is_no_lab_99(tmp_path: Path) -> None:
    answer = kit_lab("start", "99", workspace=tmp_path)
    assert answer.returncode == 2
    assert "there is no lab 99" in answer.stderr


def test_a_progress_file_that_is_no_json_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text("{", "utf-8")
    answer = kit_lab("list", workspace=tmp_path)
    assert answer.returncode == 4
    assert "progress.json is no JSON" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ('Traceback (most recent call last):\n  File "/w/raw_lane.py", line 7, in <module>\n    x\nNameError: name\n',
         ("NameError: name", "raw_lane.py, line 7")),
        ('  File "/w/raw_lane.py", line 3\n    def (\n        ^\nSyntaxError: invalid syntax\n',
         ("SyntaxError: invalid syntax", "raw_lane.py, line 3")),
        ("", ("", "")),
    ],
)  # fmt: skip
def test_of_a_traceback_a_student_sees_the_error_and_their_own_line(output: str, found: tuple[str, str]) -> None:
    assert last_error(output, Path("/w/raw_lane.py")) == found

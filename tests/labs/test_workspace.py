"""A workspace that is damaged, read-only or full: one sentence, exit code 4, and nothing overwritten."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from labs.__main__ import main
from labs.lab import all_labs
from tests.kit import ROOT

LAB = all_labs()[0]
MINE = Path(LAB.name) / "raw_lane.py"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="to mount a folder for one process takes root")


def kit_lab(workspace: Path, *words: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run `./kit lab …` on its own workspace: in this process, or in one that `before` starts."""
    if not before:
        said, complained = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(complained):
            patch.setenv("LABS_WORKSPACE", str(workspace))
            code = main([*words])
        return subprocess.CompletedProcess(words, code, said.getvalue(), complained.getvalue())
    return subprocess.run(
        [*before, sys.executable, "-m", "labs", *words], cwd=ROOT, env=os.environ | {"LABS_WORKSPACE": str(workspace)},
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip


def says_why(answer: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check that it ends with 4 and one sentence that has all these words."""
    assert answer.returncode == 4, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    (sentence,) = [line for line in answer.stderr.splitlines() if line.startswith("kit: ")]
    for word in words:
        assert word in sentence


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_circle_of_links(path: Path) -> None:
    path.symlink_to(path)


def a_link_that_leads_nowhere(path: Path) -> None:
    path.symlink_to(path.with_name("nothing"))


PUT = [a_folder, a_pipe, a_circle_of_links, a_link_that_leads_nowhere]


@pytest.mark.parametrize("command", [["start", "1"], ["check", "1"], ["diff", "1"], ["reset", "1"]], ids=" ".join)
@pytest.mark.parametrize("put", PUT, ids=lambda put: put.__name__)
def test_something_else_in_the_place_of_the_students_file(
    put: Callable[[Path], None], command: list[str], tmp_path: Path
) -> None:
    (tmp_path / LAB.name).mkdir()
    (tmp_path / LAB.name / "celery_lane.py").write_text("# mine\n", "utf-8")
    put(tmp_path / MINE)

    says_why(kit_lab(tmp_path, *command), "raw_lane.py")

    assert os.path.lexists(tmp_path / MINE)
    assert not (tmp_path / LAB.name / "nothing").exists()


@pytest.mark.parametrize("name", ["progress.json", ".lock"])
@pytest.mark.parametrize("put", [*PUT[:3]], ids=lambda put: put.__name__)
def test_something_else_in_the_place_of_the_kits_own_files(
    put: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    put(tmp_path / name)
    says_why(kit_lab(tmp_path, "hint", "1"), name)


@pytest.mark.parametrize("above", ["workspace", f"workspace/{LAB.name}"])
def test_a_file_where_a_folder_should_be(above: str, tmp_path: Path) -> None:
    (tmp_path / above).parent.mkdir(exist_ok=True)
    (tmp_path / above).write_text("a file\n", "utf-8")

    says_why(kit_lab(tmp_path / "workspace", "start", "1"), above.rpartition("/")[2])


@pytest.mark.parametrize(
    "text",
    ["{", '{"lab01', "[]", "null", "3", f'{{"{LAB.name}": 3}}', f'{{"{LAB.name}": {{"raw": {{}}}}}}',
     '{"x": {"hints": "two"}}', "\udcff"],
)  # fmt: skip
@pytest.mark.parametrize("command", [["list"], ["progress"], ["hint", "1"], ["check", "1"]], ids=" ".join)
def test_half_a_progress_file_or_somebody_elses(text: str, command: list[str], tmp_path: Path) -> None:
    assert kit_lab(tmp_path, "start", "1").returncode == 0
    (tmp_path / "progress.json").write_bytes(text.encode("utf-8", "surrogateescape"))

    says_why(kit_lab(tmp_path, *command), "progress.json")

    assert (tmp_path / "progress.json").read_bytes() == text.encode("utf-8", "surrogateescape")


def test_a_students_file_in_another_coding(tmp_path: Path) -> None:
    assert kit_lab(tmp_path, "start", "1").returncode == 0
    (tmp_path / MINE).write_bytes("# мой файл\n".encode("cp1251"))
    for command in ("check", "diff"):
        says_why(kit_lab(tmp_path, command, "1"), "raw_lane.py is no text in UTF-8", "byte 3")

    (tmp_path / MINE).write_bytes("# coding: cp1251\n# мой файл\n".encode("cp1251"))
    assert "+# мой файл" in kit_lab(tmp_path, "diff", "1", "--lane", "raw").stdout


def test_reset_twice_in_a_second_keeps_both_of_the_students_versions(tmp_path: Path) -> None:
    assert kit_lab(tmp_path, "start", "1").returncode == 0
    versions = [f"# version {number}\n" for number in range(4)]
    for text in versions:
        (tmp_path / MINE).write_text(text, "utf-8")
        assert kit_lab(tmp_path, "reset", "1", "--lane", "raw").returncode == 0

    kept = sorted(path.read_text("utf-8") for path in (tmp_path / LAB.name).glob("raw_lane.2*.py"))
    assert kept == versions
    assert (tmp_path / MINE).read_bytes() == LAB.starter("raw").read_bytes()


@as_root
@pytest.mark.parametrize("command", [["start", "1"], ["check", "1"], ["reset", "1"], ["hint", "1"]], ids=" ".join)
def test_a_read_only_workspace(command: list[str], tmp_path: Path) -> None:
    assert kit_lab(tmp_path, "start", "1").returncode == 0
    (tmp_path / MINE).write_text("# mine\n", "utf-8")
    (tmp_path / LAB.name / "celery_lane.py").unlink() if command[0] == "start" else None
    read_only = f"mount --bind {tmp_path} {tmp_path}; mount -o remount,ro,bind {tmp_path}; "

    answer = kit_lab(tmp_path, *command, before=["unshare", "--mount", "sh", "-c", read_only + 'exec "$@"', "sh"])

    says_why(answer, "Read-only file system")
    assert (tmp_path / MINE).read_text("utf-8") == "# mine\n"


@as_root
@pytest.mark.parametrize("command", [["start", "1"], ["reset", "1"], ["hint", "1"]], ids=" ".join)
def test_a_full_disk(command: list[str], tmp_path: Path) -> None:
    mine = tmp_path / MINE
    full = (
        f"mount -t tmpfs -o size=64k none {tmp_path}; mkdir {mine.parent}; echo '# mine' >{mine}; "
        f"dd if=/dev/zero of={tmp_path}/all bs=1k 2>/dev/null; "
    )
    looks = f"; code=$?; cat {mine}; ls {mine.parent}; exit $code"

    answer = kit_lab(tmp_path, *command, before=["unshare", "--mount", "sh", "-c", full + '"$@"' + looks, "sh"])

    says_why(answer, "No space left on device")
    assert answer.stdout.split("\n")[-3:-1] == ["# mine", "raw_lane.py"]  # nothing new, and no half-written file


@as_root
def test_a_workspace_that_is_somebody_elses(tmp_path: Path) -> None:
    assert kit_lab(tmp_path, "start", "1").returncode == 0
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*nobody, sys.executable, "-c", "import dotenv"], check=False, capture_output=True).returncode:
        pytest.skip("another user cannot run this Python")

    says_why(kit_lab(tmp_path, "hint", "1", before=nobody), "Permission denied")

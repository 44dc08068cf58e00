"""Every printed command of the texts: it is understood, has a row in `how.py`, and is typed as the row says."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from tests.docs.how import HOW, Instead, Typed, how
from tests.docs.printed import Printed, all_printed, in_text
from tests.docs.understood import what_is_wrong
from tests.kit import ROOT, Kit, until

PRINTED = all_printed()
# A message in the code is a sentence. Its command is checked here, and typed where a text prints it.
TYPED_TEXTS = {each.text: each.where for each in reversed(PRINTED) if isinstance(how(each.text), Typed)}
HERE = re.compile(r"(?:http://)?(?:127\.0\.0\.1|localhost):8080|…(?=/api)")


def test_every_printed_command_can_be_right() -> None:
    assert len(PRINTED) > 200
    assert {each.where: f"{each.text}: {wrong}" for each in PRINTED if (wrong := what_is_wrong(each))} == {}


def test_the_table_knows_every_printed_command() -> None:
    in_texts = [each for each in PRINTED if ".py:" not in each.where or each.text.startswith(("curl", "docker"))]
    assert [each for each in in_texts if how(each.text) is None] == []


def test_what_is_not_typed_is_run_by_something_that_exists() -> None:
    ways = [way for _, way in HOW if isinstance(way, Instead)]
    assert [way for way in ways if not (way.by and (ROOT / way.by).exists())] == []


def names(by: str, command: str) -> bool:
    """Return whether a test names a word of a command, its program apart."""
    words = re.findall(r"--?[a-z][\w-]+|[A-Za-z_][\w.-]+", command)
    text = (ROOT / by).read_text(encoding="utf-8")
    return any(
        re.search(rf"""["' ]{re.escape(word)}\b""", text)
        for word in words
        if word not in ("kit", "exec", "make", "python", "RUN", "VALUE", "ID", "FILE")
    )


def test_what_is_not_typed_is_run_by_a_test_that_names_it() -> None:
    rows = [(each.text, how(each.text)) for each in PRINTED]
    claimed = [(text, way.by) for text, way in rows if isinstance(way, Instead) and not way.why]
    assert len(claimed) > 40
    assert [(text, by) for text, by in claimed if not names(by, text)] == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("README.md", "```console\n$ ./kit lokust --headless\n```"),
        ("README.md", "Type `make tset`."),
        ("README.md", "```console\n$ ./kit submit process_task --args '{\"task_nr\": 1}'\n```"),
        ("README.md", "```console\n$ ./kit scale celery_wroker=3\n```"),
        ("README.md", "```console\n$ curl localhost:8080/api/rums\n```"),
        ("README.md", "```console\n$ docker compose up -d --scale celery=3\n```"),
        ("labs/lab06_retries/README.md", "```console\n$ ./kit lab chekc 6\n```"),
        ("labs/lab06_retries/README.md", "```console\n$ ./kit lab check 66\n```"),
        ("antipatterns/ap03_exactly_once/README.md", "```console\n$ ./kit antipattern run 3 --byhand\n```"),
        ("antipatterns/ap03_exactly_once/README.md", "with `./kit antipattern run 33 --broker redis`"),
        ("commands/new.py", '"""Do it.\n\n./kit submitt process_task\n"""'),
        ("commands/new.py", 'raise Problem("no", "./kit restrat api")'),
    ],
)
def test_a_broken_command_is_found_wherever_it_stands(file: str, line: str) -> None:
    whole = (ROOT / file).read_text(encoding="utf-8") if (ROOT / file).exists() else ""
    before = {each.text for each in in_text(file, whole)}
    broken = [each for each in in_text(file, f"{whole}\n\n{line}\n") if each.text not in before]

    assert len(broken) == 1
    assert what_is_wrong(broken[0])


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The student's folder for the labs' commands."""
    return tmp_path_factory.mktemp("workspace")


def commands(thorough: bool, alone: bool) -> list[object]:
    """Each command once, however often the texts print it."""
    ways = {text: how(text) for text in sorted(TYPED_TEXTS)}
    return [pytest.param(text, id=text.replace("/", "_")[:80]) for text, way in ways.items()
            if isinstance(way, Typed) and (way.thorough, way.alone) == (thorough, alone)]  # fmt: skip


@pytest.mark.parametrize("command", commands(thorough=False, alone=False))
def test_a_command_does_what_its_text_says(kit: Kit, workspace: Path, command: str) -> None:
    filled = HERE.sub(str(kit.http.base_url).rstrip("/"), command)
    if "RUN_ID" in filled or "<id>" in filled:
        run = kit.submit("celery", "debug_task")[0]
        filled = filled.replace("RUN_ID", run).replace("<id>", run)
    type_in(filled, how(command), workspace, kit.environment)


@pytest.mark.thorough
@pytest.mark.parametrize("command", commands(thorough=True, alone=False))
def test_a_long_command_does_what_its_text_says(kit: Kit, workspace: Path, command: str) -> None:
    type_in(command, how(command), workspace, kit.environment)


@pytest.mark.parametrize("command", commands(thorough=False, alone=True))
def test_a_command_that_needs_no_kit_does_what_its_text_says(workspace: Path, command: str) -> None:
    type_in(command, how(command), workspace, os.environ)


@pytest.mark.thorough
@pytest.mark.parametrize("command", commands(thorough=True, alone=True))
def test_a_long_command_that_needs_no_kit_does_what_its_text_says(workspace: Path, command: str) -> None:
    if started := re.match(r"\./kit lab check (\d+)", command):
        type_in(f"./kit lab start {started[1]}", Typed(), workspace, os.environ)
    type_in(command, how(command), workspace, os.environ)


def type_in(command: str, way: Typed | Instead | None, workspace: Path, environment: Mapping[str, str]) -> None:
    """Run a command in a shell and judge it by its row."""
    assert isinstance(way, Typed)
    variables = {**environment, "LABS_WORKSPACE": str(workspace), "COLUMNS": "200"}
    with TemporaryFile("w+") as output:
        shell = subprocess.Popen(["/bin/bash", "-c", command], cwd=ROOT, env=variables, stdin=subprocess.DEVNULL,
                                 stdout=output, stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip

        def said() -> str:
            output.seek(0)
            return output.read()

        try:
            if way.never_ends:
                until(lambda: shell.poll() is not None or re.search(way.like, said()), way.seconds, way.like)
                assert shell.poll() is None, f"{command} ended:\n{said()}"
            else:
                shell.wait(way.seconds)
                assert shell.returncode in way.exit, f"{command}: {shell.returncode}\n{said()}"
        except subprocess.TimeoutExpired:
            pytest.fail(f"{command} did not end in {way.seconds} s:\n{said()}")
        finally:
            end(shell, command)
        assert re.search(way.like, said()), f"{command} does not print {way.like!r}:\n{said()}"


def end(shell: subprocess.Popen[bytes], command: str) -> None:
    """End a shell and what it started with SIGTERM, as Ctrl-C and a supervisor would. A command must obey."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, number)
        with suppress(subprocess.TimeoutExpired):
            shell.wait(20)
            break
    assert number == signal.SIGTERM, f"{command} does not end when it is told to"


def test_the_two_ends_of_a_pipe_are_tried_together(kit: Kit) -> None:
    done = subprocess.run(["/bin/bash", "-c", "./kit submit debug_task | ./kit wait -"], cwd=ROOT, env=kit.environment,
                          text=True, capture_output=True, check=False, timeout=60)  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "celery" in done.stdout


def test_a_command_printed_in_two_texts_is_typed_once() -> None:
    assert len(TYPED_TEXTS) == len({Printed("", text) for text in TYPED_TEXTS})

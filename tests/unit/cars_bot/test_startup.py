"""Wrong settings: every program ends at once, with exit code 4 and one sentence that has the setting's name."""

import subprocess
import sys
from pathlib import Path

import pytest

from cars_bot.settings import settings
from commands import __main__ as kit
from commands.common.console import CANNOT
from tests.kit import ROOT

PROGRAMS = {
    "the API": ["api", "--port", "1"],
    "the Celery worker": ["celery", "-A", "celery_app", "worker"],
    "Celery's Beat": ["celery", "-A", "celery_app", "beat"],
    "the raw worker": ["raw_consumer", "worker"],
    "the raw scheduler": ["raw_consumer", "scheduler"],
    "a command": ["commands", "status"],
}
WRONG = {
    "a bad port": ("RMQ_URL", "amqp://u:geheim@h:99999/"),
    "half an IPv6 address": ("REDIS_URL", "redis://:geheim@[::1"),
    "a database in memory": ("DATABASE_URL", "sqlite:///:memory:"),
    "no database at all": ("DATABASE_URL", "sqlite://"),
    "a relative path": ("DATABASE_URL", "sqlite:///kit.sqlite3"),
    "a database that Redis has not": ("REDIS_URL", "redis://127.0.0.1/99"),
    "a parameter of one library": ("RMQ_URL", "amqp://u:geheim@h/?foo=1"),
    "no such file": ("KIT_ENV_FILE", "/nowhere/.env"),
    "a folder": ("KIT_ENV_FILE", "/"),
    "a module with a typo": ("EXTRA_JOBS", "tests.contract.jbos"),
    "a module without jobs": ("EXTRA_JOBS", "tests.kit"),
    "no certificate": ("TLS_CA_FILE", str(ROOT / "README.md")),
    "a relative certificate": ("TLS_CA_FILE", "ca.pem"),
    "a line break": ("KIT_SECRET", "a\nb"),
    "no number": ("CLIENT_DEADLINE", "²"),
}


def said(result: subprocess.CompletedProcess[str]) -> list[str]:
    """Its lines, without Celery's warning that it runs as root."""
    return [line for line in result.stderr.splitlines() if line.startswith(("kit:", "Traceback"))]


def start(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a program of the kit and wait until it has ended."""
    environment |= {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *PROGRAMS[program]]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_ends_at_once_and_names_the_setting(program: str, tmp_path: Path) -> None:
    result = start(program, RMQ_URL="amqp://u:geheim@h:port/", KIT_RUN_DIR=str(tmp_path))

    assert result.returncode == CANNOT
    (sentence,) = said(result)
    assert sentence.startswith("kit: RMQ_URL ")
    assert "geheim" not in result.stdout + result.stderr


@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_is_wrong_with_it(wrong: str, tmp_path: Path) -> None:
    name, value = WRONG[wrong]
    reader = "the raw worker" if name == "EXTRA_JOBS" else "a command"  # a command starts sooner, and has no jobs
    result = start(reader, **{"KIT_RUN_DIR": str(tmp_path), name: value})

    assert result.returncode == CANNOT, result.stderr
    (sentence,) = said(result)
    assert name in sentence
    assert "geheim" not in result.stderr


@pytest.mark.parametrize("program", ["the API", "the Celery worker", "the raw worker"])
def test_a_folder_that_cannot_be_made_is_named(program: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = start(program, KIT_RUN_DIR=str(tmp_path / "file" / "run"))

    assert result.returncode == CANNOT
    (sentence,) = said(result)
    assert "KIT_RUN_DIR" in sentence


def test_a_file_of_settings_that_is_not_utf_8_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_bytes("KIT_SECRET=x\nTELEGRAM_CHANNEL=Машины\n".encode("cp1251"))
    result = start("a command", KIT_ENV_FILE=str(file), KIT_RUN_DIR=str(tmp_path))

    assert result.returncode == CANNOT
    assert said(result) == [f"kit: {file} is not UTF-8 (line 2); save it as UTF-8"]


@pytest.mark.parametrize(
    "command", sorted({name for group in kit.COMMANDS.values() for name in group} - kit.WITHOUT_SETTINGS)
)
def test_every_command_that_needs_settings_says_so(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:geheim@h/99")
    settings.cache_clear()
    try:
        assert kit.main([command]) == CANNOT
    finally:
        settings.cache_clear()
    assert capsys.readouterr().err.startswith("kit: REDIS_URL ")


def test_a_kit_can_be_stopped_and_looked_at_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("KIT_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", "redis://:geheim@h/99")
    settings.cache_clear()
    try:
        assert kit.main(["down"]) == 0
        assert kit.main(["doctor"]) == 1
    finally:
        settings.cache_clear()
    output = capsys.readouterr().out
    assert "REDIS_URL" in output
    assert "geheim" not in output

"""A kit whose folder and secret contain every odd character, and folders that cannot be used; on real processes."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from commands.common.console import CANNOT
from tests.kit import Kit, running

SECRET = """it's 100% "%(x)s" ${HOME} #1"""


@pytest.mark.thorough
def test_a_folder_and_a_secret_may_have_odd_characters(tmp_path: Path) -> None:
    folder = tmp_path / "Рабочий стол 100%20 ?x=1"
    with running(folder, "redis", "api", KIT_SECRET=SECRET) as kit:
        environment = Path(f"/proc/{kit.pid('api')}/environ").read_bytes().split(b"\0")
        assert f"KIT_SECRET={SECRET}".encode() in environment
        assert kit.ended(kit.submit("inline", "debug_task")[0])["state"] == "DONE"
        database = kit.status()["urls"]["database"]
        del kit.environment["KIT_SECRET"]  # as in another shell
        kit.command("restart", "api")
        assert f"KIT_SECRET={SECRET}".encode() in Path(f"/proc/{kit.pid('api')}/environ").read_bytes().split(b"\0")
        readable = [path.name for path in folder.glob("*") if path.is_file() and path.stat().st_mode & 0o077]
        for name in readable:
            assert SECRET not in (folder / name).read_text(encoding="utf-8", errors="replace")

    assert database == f"sqlite:///{folder / 'kit.sqlite3'}"
    assert (folder / "kit.sqlite3").exists()


@pytest.mark.parametrize("words", [["up"], ["scale", "consumer=1"], ["restart"]], ids=" ".join)
def test_a_folder_that_cannot_be_made_is_said_at_once(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = Kit(tmp_path / "file" / "run").command(*words, check=False)

    assert done.returncode == CANNOT
    assert "KIT_RUN_DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_password_is_in_what_status_and_doctor_print(tmp_path: Path) -> None:
    given = {
        "DATABASE_URL": "postgresql://bot:se#geheim@127.0.0.1:1/cars?password=geheim",
        "RMQ_URL": "amqp://bot:geheim@127.0.0.1:1/",
        "REDIS_URL": "redis://:geheim@127.0.0.1:1/0",
    }
    said = ""
    for words in (["doctor"], ["doctor", "--json"], ["status", "--json"], ["up"]):
        done = Kit(tmp_path, **given).command(*words, check=False)
        said += done.stdout + done.stderr
    assert "RMQ_URL" in said
    assert "postgresql://bot:***@127.0.0.1:1/cars" in said
    assert "geheim" not in said
    assert "Traceback" not in said


@pytest.mark.thorough
def test_a_status_of_a_kit_with_a_password_in_its_database_address_shows_none(tmp_path: Path) -> None:
    with running(tmp_path, "redis") as kit:
        kit.environment["DATABASE_URL"] = "postgresql://bot:se#geheim@127.0.0.1:1/cars"
        done = subprocess.run(
            ["./kit", "status", "--json"],
            env=kit.environment | {"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    assert json.loads(done.stdout)["urls"]["database"] == "postgresql://bot:***@127.0.0.1:1/cars"
    assert "geheim" not in done.stdout + done.stderr

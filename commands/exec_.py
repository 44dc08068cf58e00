"""`kit exec PROGRAM …`: run a program with the kit's packages, tools and addresses in its environment.

For example: `./kit exec celery -A celery_app inspect active`, `./kit exec rabbitmqctl list_queues`.
"""

import os
import shutil
import sys
from pathlib import Path

from commands.common.console import Problem
from commands.common.state import ROOT, RunDir, run_dir
from commands.servers.user_settings import read_user_settings


def pass_on(words: list[str]) -> int:
    if not words:
        raise Problem("the name of a program is missing", "./kit exec celery -A celery_app inspect active", code=2)
    return run_program(words)


def run_program(words: list[str]) -> int:
    """Become the program `words`. The function returns only with a Problem.

    Raises:
        Problem: there is no such program.
    """
    environment = inside(run_dir())
    program = shutil.which(words[0], path=environment["PATH"])
    if program is None:
        raise Problem(f"there is no program {words[0]!r}", "install it; ./kit up writes rabbitmqctl")
    os.chdir(ROOT)
    os.execve(program, words, environment)  # noqa: S606 - the point of this command


def inside(run: RunDir) -> dict[str, str]:
    """Return the environment for a program inside the kit. The user's settings win over those that `kit up` wrote."""
    path = [str(Path(sys.executable).parent), str(run.path / "bin"), os.environ.get("PATH", "/usr/bin:/bin")]
    ours = {"PATH": os.pathsep.join(path), "KIT_RUN_DIR": str(run.path)}
    return run.read_env() | read_user_settings() | os.environ | ours

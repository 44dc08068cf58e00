"""`kit exec PROGRAM …`: run a program with the kit's packages, tools and addresses in its environment.

For example: `./kit exec celery -A celery_app inspect active`, `./kit exec rabbitmqctl list_queues`.
"""

import os
import shutil
import sys
from pathlib import Path

from commands.common.console import Problem
from commands.common.state import ROOT, RunDir, run_dir
from commands.servers.given import given


def pass_on(words: list[str]) -> int:
    if not words:
        raise Problem("which program?", "./kit exec celery -A celery_app inspect active", code=2)
    return run_program(words)


def run_program(words: list[str]) -> int:
    """Become the program `words`; returns only if there is none.

    Raises:
        Problem: no such program.
    """
    environment = inside(run_dir())
    program = shutil.which(words[0], path=environment["PATH"])
    if program is None:
        raise Problem(f"there is no program {words[0]!r}", "is it installed? ./kit up writes rabbitmqctl and redis-cli")
    os.chdir(ROOT)
    os.execve(program, words, environment)  # noqa: S606 - the point of this command


def inside(run: RunDir) -> dict[str, str]:
    """The environment of somebody who works inside the kit: what is set wins over what `kit up` wrote down."""
    path = [str(Path(sys.executable).parent), str(run.path / "bin"), os.environ.get("PATH", "/usr/bin:/bin")]
    return {**run.read_env(), **given(), **os.environ, "PATH": os.pathsep.join(path), "KIT_RUN_DIR": str(run.path)}

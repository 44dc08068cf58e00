"""Making `.venv`: the standard library alone, quick when there is nothing to do.

Packages are installed only when the requirements file has changed: a stamp in `.venv`, written last, holds its hash, so
an interrupted installation is taken up again by the next start. Two kits that start at once take turns.
"""

import fcntl
import hashlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import TextIO

from commands.common import debian
from commands.common.console import Problem, Progress, report

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CONTAINED = {"requirements-dev.txt": ("requirements.txt",)}  # pinned to the very same versions
UNPACKED = ROOT / ".run" / "packages" / "python3-pip-whl"


def prepare(requirements: str) -> str:
    """Return the path of `.venv`'s Python, with `requirements` installed; ends the process if that cannot be had."""
    try:
        if not is_ready(requirements):
            with Path(__file__).open() as lock:  # a file that is always there, and nothing is left behind
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not is_ready(requirements):
                    build(requirements)
    except Problem as problem:
        report(problem)
        sys.exit(problem.code)
    except KeyboardInterrupt:
        sys.exit(130)
    return str(PYTHON)


def stamp(requirements: str) -> Path:
    return VENV / f"kit-{requirements}.sha256"


def wanted(requirements: str) -> str:
    """What the stamp says once everything is installed; the folder is part of it because a venv cannot be moved."""
    return hashlib.sha256((ROOT / requirements).read_bytes() + str(VENV).encode()).hexdigest()


def is_ready(requirements: str) -> bool:
    try:
        return stamp(requirements).read_text() == wanted(requirements) and PYTHON.exists()
    except FileNotFoundError:
        return False


def build(requirements: str) -> None:
    """Make the environment if there is none that works, install, and only then write the stamp."""
    pip = find_pip()
    with Progress(f"Set up .venv from {requirements}") as line:
        if not PYTHON.exists() or subprocess.run([PYTHON, "-c", ""], check=False, capture_output=True).returncode:
            make = [sys.executable, "-m", "venv", "--without-pip", "--clear", str(VENV)]
            result = subprocess.run(make, check=False, capture_output=True, text=True)
            if result.returncode:
                raise Problem("python3 -m venv failed", f"rm -rf {VENV}, then try again", detail=result.stderr.strip())
        install(pip, requirements, line)
    for name in (requirements, *CONTAINED.get(requirements, ())):
        unfinished = stamp(name).with_suffix(".new")
        unfinished.write_text(wanted(name))
        unfinished.replace(stamp(name))


def find_pip() -> Path:
    """The pip wheel that Python or Debian keeps for new environments; pip runs from its wheel without being installed.

    Debian takes it out of Python and puts it into python3-pip-whl, which a bare machine does not have.
    """
    if (pip := kept_pip()) is None and debian.is_debian():
        debian.obtain("python3-pip-whl", UNPACKED)
        pip = kept_pip()
    if pip is None:
        raise Problem("this Python has no pip and no ensurepip", "install your system's python3-venv, then try again")
    return pip


def kept_pip() -> Path | None:
    folders = [Path("/usr/share/python-wheels"), UNPACKED / "usr/share/python-wheels"]
    if (ensurepip := importlib.util.find_spec("ensurepip")) and ensurepip.origin:
        folders.insert(0, Path(ensurepip.origin).parent / "_bundled")
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    return wheels[0] / "pip" if wheels else None


def install(pip: Path, requirements: str, line: Progress) -> None:
    """Install with uv, three times as fast as pip; where uv cannot, with pip. `.venv/install.log` tells it all."""
    with (VENV / "install.log").open("w") as log:
        if get_uv(pip, log) and install_with_uv(pip, requirements, log, line):
            return
        install_with_pip(pip, requirements, log, line)


def get_uv(pip: Path, log: TextIO) -> bool:
    """Install the uv that requirements-dev.txt pins; False where there is none for this machine."""
    (pinned,) = re.findall(r"^uv==.*(?:\n    --hash.*)+", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    only_uv = VENV / "requirements-uv.txt"
    only_uv.write_text(pinned)
    options = ["--no-deps", "--no-compile", "--only-binary=:all:", "--retries=1", "-r", str(only_uv)]
    return run([*pip_install(pip), *options], log) == 0


def install_with_uv(pip: Path, requirements: str, log: TextIO, line: Progress) -> bool:
    """The packages come from the index that pip is told to use, checked against their hashes as pip would check them.

    They are copied, not linked: a student who adds a print() to Celery must not change uv's own copy of it.
    """
    line.update("downloading")
    listed = subprocess.run([PYTHON, pip, "config", "list"], check=False, capture_output=True, text=True).stdout
    index = re.findall(r"^\S+\.index-url='(.+)'$", listed, re.MULTILINE)
    options = ["--require-hashes", "--compile-bytecode", "--link-mode=copy", "--system-certs", "--no-progress"]
    options += [f"--default-index={index[-1]}"] if index else []
    command = [str(VENV / "bin" / "uv"), "pip", "install", "--python", str(PYTHON), *options, "-r", requirements]
    return run(command, log) == 0


def install_with_pip(pip: Path, requirements: str, log: TextIO, line: Progress) -> None:
    """Turn pip's chatter into one number."""
    total = sum("==" in text for text in (ROOT / requirements).read_text().splitlines())
    begun = 0
    said = []
    command = [*pip_install(pip), "-r", requirements]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as process:
        for text in process.stdout or ():
            log.write(text)
            said.append(text.rstrip())
            if text.startswith(("Collecting", "Requirement already")):
                begun += 1
                line.update(f"{min(begun, total)} of {total} packages")
            elif text.startswith("Installing"):
                line.update(f"unpacking {total} packages")
    if process.returncode:
        raise Problem(
            f"pip could not install {requirements}",
            f"is the package index reachable? All pip said is in {log.name}; the same command tries again",
            detail="\n".join(said[-6:]),
        )


def pip_install(pip: Path) -> list[str]:
    return [str(PYTHON), str(pip), "install", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]


def run(command: list[str], log: TextIO) -> int:
    log.flush()  # what was written before stands before what the command writes
    return subprocess.run(command, check=False, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT).returncode

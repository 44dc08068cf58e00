"""Setup of `.venv`, with the standard library alone. It is quick when there is nothing to do.

Packages are installed only when the requirements file has changed. A stamp in `.venv` holds the hash of that file. The
stamp is written last, so the next start resumes an interrupted installation. Two kits that start at once take turns.
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
CONTAINED = {"requirements-dev.txt": ("requirements.txt",)}  # pinned to the same versions
UNPACKED = ROOT / ".run" / "packages" / "python3-pip-whl"


def prepare(requirements: str) -> str:
    """Install `requirements` and return the path of `.venv`'s Python. If that fails, end the process with a message."""
    try:
        if not is_ready(requirements):
            with Path(__file__).open() as lock:  # this file always exists, so no lock file is left behind
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
    """Return the text of a complete installation's stamp. The folder is in it because a venv cannot be moved."""
    return hashlib.sha256((ROOT / requirements).read_bytes() + str(VENV).encode()).hexdigest()


def is_ready(requirements: str) -> bool:
    try:
        return stamp(requirements).read_text() == wanted(requirements) and PYTHON.exists()
    except FileNotFoundError:
        return False


def build(requirements: str) -> None:
    """Make the environment unless a working one is there, install, and write the stamp last."""
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
    """Return the pip wheel that Python or Debian keeps for new environments. pip runs from it without installation.

    Debian's Python comes without the wheel. It is in the package python3-pip-whl, which a bare machine does not have.
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
    """Install with uv, three times as fast as pip. If uv fails, use pip. `.venv/install.log` has the whole output."""
    with (VENV / "install.log").open("w") as log:
        if get_uv(pip, log) and install_with_uv(pip, requirements, log, line):
            return
        install_with_pip(pip, requirements, log, line)


def get_uv(pip: Path, log: TextIO) -> bool:
    """Install the uv that requirements-dev.txt pins. Return False if there is none for this machine."""
    (pinned,) = re.findall(r"^uv==.*(?:\n    --hash.*)+", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    only_uv = VENV / "requirements-uv.txt"
    only_uv.write_text(pinned)
    options = ["--no-deps", "--no-compile", "--only-binary=:all:", "--retries=1", "-r", str(only_uv)]
    return run([*pip_install(pip), *options], log) == 0


def install_with_uv(pip: Path, requirements: str, log: TextIO, line: Progress) -> bool:
    """Install from the index in pip's configuration, and check the hashes as pip does. Return True on success.

    The files are copied, not linked. A student who adds a print() to Celery must not change uv's own copy of Celery.
    """
    line.update("downloading")
    listed = subprocess.run([PYTHON, pip, "config", "list"], check=False, capture_output=True, text=True).stdout
    index = re.findall(r"^\S+\.index-url='(.+)'$", listed, re.MULTILINE)
    options = ["--require-hashes", "--compile-bytecode", "--link-mode=copy", "--system-certs", "--no-progress"]
    options += [f"--default-index={index[-1]}"] if index else []
    command = [str(VENV / "bin" / "uv"), "pip", "install", "--python", str(PYTHON), *options, "-r", requirements]
    return run(command, log) == 0


def install_with_pip(pip: Path, requirements: str, log: TextIO, line: Progress) -> None:
    """Install with pip and show its progress as one number."""
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
            f"check the network, then type the command again; pip's whole output is in {log.name}",
            detail="\n".join(said[-6:]),
        )


def pip_install(pip: Path) -> list[str]:
    return [str(PYTHON), str(pip), "install", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]


def run(command: list[str], log: TextIO) -> int:
    log.flush()  # earlier text must stand before the command's output
    return subprocess.run(command, check=False, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT).returncode

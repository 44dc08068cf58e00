"""Making `.venv`: the standard library alone, quick when there is nothing to do.

Packages are installed only when the requirements file has changed: a stamp in `.venv`, written last, holds its hash, so
an interrupted installation is taken up again by the next start. Two kits that start at once take turns.
"""

import fcntl
import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from commands import debian
from commands.console import Problem, Progress, report

ROOT = Path(__file__).resolve().parent.parent
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
    """Run pip, turning its chatter into one number; all it says is in .venv/install.log."""
    total = sum("==" in text for text in (ROOT / requirements).read_text().splitlines())
    command = [str(PYTHON), str(pip), "install", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    command += ["-r", requirements]
    begun = 0
    said = []
    with (
        (VENV / "install.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as process,
    ):
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

"""Debian packages: installed for root, unpacked into a folder for any other user.

`install` changes the machine. It needs root, or a sudo that asks for no password. `unpack` changes only the folder that
it is given. It works for any user. If the machine has no package lists, it makes lists of its own. Neither starts a
service. The module uses the standard library alone, because `./kit` needs it before anything is installed.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from commands.common.console import Problem, Progress

# Debian's installers run this file to learn whether they may start a service. Exit status 101 means no.
POLICY = Path("/usr/sbin/policy-rc.d")
NO_SERVICES = "#!/bin/sh\nexit 101\n"


def is_debian() -> bool:
    return shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None


def as_root() -> list[str] | None:
    """Return the words before a command that make it run as root: no words, those of sudo, or None if neither works."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def obtain(package: str, folder: Path, settle: Callable[[Path], None] = lambda tree: None) -> None:
    """Install `package` if we may, else unpack it into `folder`. Two kits that want it at once take turns.

    Raises:
        Problem: apt-get or dpkg-deb failed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if as_root() is not None:
            with Progress(f"Installed {package} with apt-get"):
                install([package])
        elif not folder.exists():
            with Progress(f"Unpacked Debian's {package}"):
                unpack([package], folder, settle)


def install(packages: Sequence[str]) -> None:
    """Install `packages` with apt-get. Their services are neither started nor enabled.

    Raises:
        Problem: we may not, or apt-get failed. The problem carries the last lines of apt-get.
    """
    root = as_root()
    if root is None:
        raise Problem(f"{', '.join(packages)} must be installed by root", f"sudo apt-get install {' '.join(packages)}")
    command = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq"]
    command += ["-o", "DPkg::Lock::Timeout=120"]
    command += ["--no-install-recommends", *packages]
    with _services_stay_down(root):
        if not any(Path("/var/lib/apt/lists").glob("*Packages*")):
            _run([*root, "apt-get", "update", "-qq"])
        if subprocess.run(command, check=False, capture_output=True).returncode != 0:
            _run([*root, "apt-get", "update", "-qq"])  # the lists may name versions that the mirror has dropped
            _run(command)
    if Path("/run/systemd/system").is_dir():
        for package in packages:
            subprocess.run([*root, "systemctl", "disable", "--now", "-q", package], check=False, capture_output=True)


@contextlib.contextmanager
def _services_stay_down(root: list[str]) -> Iterator[None]:
    """Keep Debian from starting the services that it installs: RabbitMQ would listen on every interface."""
    if POLICY.exists():
        yield
        return
    with tempfile.NamedTemporaryFile("w") as script:
        script.write(NO_SERVICES)
        script.flush()
        _run([*root, "install", "-m", "755", script.name, str(POLICY)])
    try:
        yield
    finally:
        _run([*root, "rm", "-f", str(POLICY)])


def unpack(packages: Sequence[str], folder: Path, settle: Callable[[Path], None] = lambda tree: None) -> None:
    """Download `packages` and the packages they need that this machine lacks, and unpack all into `folder`.

    The folder appears whole or not at all. `settle` may change the tree before the folder appears.

    Raises:
        Problem: a package cannot be downloaded.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unpack-") as scratch:
        workspace = Path(scratch)
        files, tree = workspace / "files", workspace / "tree"
        files.mkdir()
        tree.mkdir()
        options = _private_apt(workspace)
        _run(["apt-get", *options, "download", *_missing(packages, options)], cwd=files)
        for archive in sorted(files.glob("*.deb")):
            _run(["dpkg-deb", "-x", str(archive), str(tree)])
        settle(tree)
        tree.chmod(0o755)
        tree.rename(folder)


def _private_apt(workspace: Path) -> list[str]:
    """Return options for an ordinary user's apt-get: its own lists if the machine has none, and no sandbox user."""
    options = ["-qq", "-o", "APT::Sandbox::User=", "-o", "Debug::NoLocking=1", "-o", f"Dir::Cache={workspace}/cache"]
    (workspace / "cache/archives/partial").mkdir(parents=True)
    if not any(Path("/var/lib/apt/lists").glob("*Packages*")):
        (workspace / "lists/partial").mkdir(parents=True)
        options += ["-o", f"Dir::State::Lists={workspace}/lists"]
        _run(["apt-get", *options, "update"])
    return options


def _missing(packages: Sequence[str], options: Sequence[str]) -> list[str]:
    """Return `packages` and those of their dependencies that are not installed, as apt plans it."""
    plan = _run(["apt-get", *options, "install", "--no-install-recommends", "--print-uris", "-y", *packages])
    found = re.findall(r"'[^']*' ([^_ ]+)_", plan)  # 'http://…/x.deb' name_version_arch.deb size hash
    return found or list(packages)


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cwd, stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        tail = "\n".join((result.stdout + result.stderr).strip().splitlines()[-6:])
        raise Problem(
            f"`{' '.join(command[:4])} …` failed",
            "check that the Debian mirror is reachable:  apt-get update",
            detail=tail,
        )
    return result.stdout

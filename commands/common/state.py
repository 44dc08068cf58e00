"""Run directory: everything that one kit has on disk, and the processes that belong to it.

Two kits have two run directories (`KIT_RUN_DIR`). They share only the source and `.venv`. `servers/processes.py` lists
the processes and their commands.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dotenv import dotenv_values

from commands.common.console import Problem

ROOT = Path(__file__).resolve().parents[2]
# A variable in the environment of supervisord and of all that it starts. By it a kit recognises its own processes.
MARK = "KIT_SUPERVISED"
TEMPORARY = "experiments-"  # the start of an experiment's folder name in the temporary folder
TEST_SESSION = "KIT_TEST_SESSION"  # in the environment of every process that the tests start
LONGEST_SOCKET_PATH = 90  # the kernel allows 107 bytes, supervisor appends its pid while it binds
PLAIN = re.compile(r"[A-Za-z0-9/._+@-]+")


class RunDir:
    """One kit's folder and the paths in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.kit_env = path / "kit.env"
        self.supervisor_conf = path / "supervisord.conf"
        self.supervisor_pid = path / "supervisord.pid"

    @property
    def alias(self) -> Path:
        """A short path in plain ASCII for this kit alone, in the temporary folder. It need not exist."""
        digest = hashlib.sha256(str(self.path).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"kit-{os.getuid()}-{digest}"

    @property
    def socket(self) -> Path:
        """Supervisor's socket: in the run directory, or beside `alias` if that path is too long for a socket."""
        beside = self.path / "supervisor.sock"
        return beside if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH else self.alias.with_suffix(".sock")

    def plain_path(self) -> Path:
        """Return a path to the folder in plain ASCII. RabbitMQ cannot start in a folder called Рабочий стол."""
        if PLAIN.fullmatch(str(self.path)):
            return self.path
        self.alias.unlink(missing_ok=True)
        self.alias.symlink_to(self.path)
        return self.alias

    def create(self) -> None:
        """Make the folder. Only its owner can read it.

        Raises:
            Problem: its path has a character that one of the servers cannot use, or the folder cannot be made.
        """
        if bad := set("'\"\\\n") & set(str(self.path)):
            raise Problem(
                f"the run directory {str(self.path)!r} contains {' '.join(map(repr, bad))}, which servers cannot use",
                "set KIT_RUN_DIR to another path",
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
            self.logs.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise Problem(
                f"KIT_RUN_DIR={self.path} cannot be used: {error.strerror}", "set KIT_RUN_DIR to a folder of your own"
            ) from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Allow one `up`, `down` or `scale` at a time on this run directory. The second waits for the first."""
        self.create()
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def read_env(self) -> dict[str, str]:
        """Return the values that `kit up` wrote down; none if it never ran."""
        values = dotenv_values(self.kit_env, interpolate=False, encoding="utf-8")
        return {name: value for name, value in values.items() if value is not None}

    def write_env(self, values: dict[str, str]) -> None:
        """Write the addresses for all programs that read `cars_bot.settings`. Only this user can read the file."""
        text = "# written by ./kit up: where everything is. ./kit down empties it.\n"
        text += "".join(f"{name}={in_quotes(value)}\n" for name, value in sorted(values.items()))
        unfinished = self.kit_env.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(self.kit_env)

    def secret(self) -> str:
        """Return the key that signs status reports. It is made at the first start and kept."""
        return self.read_env().get("KIT_SECRET") or secrets.token_hex(32)


def in_quotes(value: str) -> str:
    """Return a value as a file of settings holds it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def run_dir() -> RunDir:
    """Return the run directory of this command: `KIT_RUN_DIR`, or `.run` beside the source."""
    return RunDir(Path(os.environ.get("KIT_RUN_DIR") or ROOT / ".run").resolve())


def process_state(pid: int) -> str:
    """Return the letter in /proc for a process, such as T (suspended) or Z (a zombie), or "" if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    """Return whether process `pid` still runs. A zombie has ended; only its parent has not noticed yet."""
    if Path("/proc/self").exists():
        return process_state(pid) not in ("", "Z")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is another user's
    return True


def living(run: RunDir) -> dict[int, str]:
    """Return the processes of this kit, with its supervisor: pid → command line. Zombies do not count."""
    return marked(f"{MARK}={run.path}")


def marked(mark: str) -> dict[int, str]:
    """Return the processes that have `mark`, a NAME=value, in their environment: pid → command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                if command and int(folder.name) != os.getpid():
                    found[int(folder.name)] = command
        except (OSError, ValueError):
            continue  # it ended while we looked, or it is another user's
    return found


def end_leftovers(run: RunDir) -> int:
    """End the processes that a killed supervisor left behind. Return their number."""
    return end_marked(f"{MARK}={run.path}")


def end_marked(mark: str, grace: float = 3.0) -> int:
    """End the processes that have `mark` in their environment. Return their number.

    Raises:
        Problem: some do not end, even after SIGKILL.
    """
    leftovers = marked(mark)
    for sign, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        for pid in marked(mark):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, sign)
        deadline = time.monotonic() + seconds
        while marked(mark) and time.monotonic() < deadline:
            time.sleep(0.05)
    if still := marked(mark):
        raise Problem(
            f"processes of this kit do not end after SIGKILL: {', '.join(map(str, still))}",
            f"kill -9 {' '.join(map(str, still))}",
        )
    return len(leftovers)

"""Processes of a kit: their commands, and their settings for supervisor. Their work is in their own modules.

No process starts by itself: `up` starts them in stages. A process that dies is started again. A scalable program is
declared with its highest number of copies. So `scale` can start and stop copies without touching the others.
"""

import os
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from commands.common.state import MARK, ROOT, TEST_SESSION, RunDir

CEILING = 8  # copies of a scalable program
NUMBERED = "%(program_name)s-%(process_num)d"  # supervisor fills in the name of each copy: celery_worker-1
# A stopping worker gets the time that its longest job may take (hard limit 360 s) before it is killed.
WORKER_STOP_SECONDS = 370
# Variables that a process gets from the shell of `kit up`, in addition to the settings.
HANDED_ON = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy",
    "CRASH_AT", "CRASH_ONCE", "KIT_ENV_FILE", TEST_SESSION, "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START",
)  # fmt: skip


@dataclass(frozen=True)
class Program:
    """One program of the kit, as supervisor runs it."""

    name: str  # as in `kit status`, in the logs and in docker-compose.yml
    command: list[str]  # its words; `NUMBERED` stands for the name of the copy
    environment: dict[str, str] = field(default_factory=dict)  # in addition to the environment of every process
    copies: int = 1  # the highest number; if it is above 1, the processes are called name-1, name-2, …
    stop_seconds: int = 5  # from SIGTERM until the process is killed


def kit_programs(run: RunDir, ports: dict[str, int]) -> list[Program]:
    """Return the programs written in Python, which every kit has."""
    python, celery = sys.executable, [sys.executable, "-m", "celery", "-A", "celery_app"]
    loopback = ["--host", "127.0.0.1", "--port"]
    world = [python, "-m", "outside_world", *loopback, str(ports.get("outside_world"))]
    return [
        *([Program("outside_world", world)] if "outside_world" in ports else []),
        Program("api", [python, "-m", "api", *loopback, str(ports["api"])], {"KIT_CONTROLS": "1"}),
        # Mingle and gossip tell workers of each other and of revoked tasks. Ours ask the database and start sooner.
        Program("celery_worker", [*celery, "worker", "-l", "info", "--concurrency", "2",
                                  "-n", f"{NUMBERED}@%h", "--without-mingle", "--without-gossip"],
                {"KIT_WORKER_NAME": NUMBERED}, CEILING, WORKER_STOP_SECONDS),
        Program("celery_beat", [*celery, "beat", "-l", "info", "--pidfile="]),
        Program("consumer", [python, "-m", "raw_consumer", "worker", "--concurrency", "2", "--name", NUMBERED,
                             "--stop-seconds", str(WORKER_STOP_SECONDS - 5)],  # as long as Celery waits for its jobs
                {"KIT_WORKER_NAME": NUMBERED}, CEILING, WORKER_STOP_SECONDS),
        Program("scheduler", [python, "-m", "raw_consumer", "scheduler"]),
        Program("flower", [*celery, "flower", "--address=127.0.0.1", f"--port={ports['flower']}"]),
    ]  # fmt: skip


SCALABLE = ("celery_worker", "consumer")
OPTIONAL = ("flower",)


def environment(run: RunDir, settings: dict[str, str]) -> dict[str, str]:
    """Return the environment of every process of the kit. Of the user's shell it has only `HANDED_ON`."""
    kept = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    past_proxies = ",".join(
        filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1,localhost"])
    )
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        **kept,
        **settings,
        "NO_PROXY": past_proxies,
        "no_proxy": past_proxies,
        "KIT_RUN_DIR": str(run.path),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",  # files and logs are UTF-8, whatever the terminal of `kit up` is
        MARK: str(run.path),
    }


def configuration(run: RunDir, programs: Iterable[Program]) -> str:
    """Return the text of supervisord.conf."""
    head = f"""[supervisord]
nodaemon=true
pidfile={_plain(run.supervisor_pid)}
logfile={_plain(run.logs / "supervisord.log")}
logfile_maxbytes=1MB
logfile_backups=1
{"user=root" if os.geteuid() == 0 else ""}

[unix_http_server]
file={_plain(run.socket)}
chmod=0700

[supervisorctl]
serverurl=unix://{_plain(run.socket)}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    return head + "".join(_section(run, program, place) for place, program in enumerate(programs))


def _section(run: RunDir, program: Program, place: int) -> str:
    numbered = program.copies > 1
    name = NUMBERED if numbered else "%(program_name)s"
    settings = ",".join(f'{key}="{_value(value)}"' for key, value in program.environment.items())
    return f"""
[program:{program.name}]
command={shlex.join(map(_value, program.command))}
directory={_plain(ROOT)}
process_name={name}
numprocs={program.copies}
numprocs_start={1 if numbered else 0}
environment={settings}
priority={place}
autostart=false
autorestart=true
startsecs=1
startretries=30
stopsignal=TERM
stopasgroup=false
killasgroup=true
stopwaitsecs={program.stop_seconds}
redirect_stderr=true
stdout_logfile={_plain(_plain(run.logs))}/{name}.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=2
"""


def _plain(path: object) -> str:
    """Return a path with each percent sign doubled: to supervisor, one alone begins an expression.

    Supervisor reads the name of a log twice, so that needs two calls.
    """
    return str(path).replace("%", "%%")


def _value(text: str) -> str:
    """Return `text` for supervisor's configuration. Only `NUMBERED` is an expression in it."""
    return text.replace("%", "%%").replace(NUMBERED.replace("%", "%%"), NUMBERED)

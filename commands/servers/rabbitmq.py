"""Private RabbitMQ: its binaries, and the way in which an ordinary user runs them on loopback.

Debian's `/usr/sbin/rabbitmq-server` switches to the user rabbitmq. The script under `/usr/lib` runs as its caller.
A node needs `epmd`, Erlang's name server. By default a node starts `epmd`, and `epmd` outlives the broker. Our `epmd`
is a process of the kit like any other. It has a port of its own, so two kits may both call their node kit@localhost.
"""

import os
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from commands.common import debian
from commands.common.console import Problem
from commands.common.state import ROOT, RunDir
from commands.servers import few_plugins
from commands.servers.amqp import CLUSTER_NAME
from commands.servers.processes import Program

UNPACKED = ROOT / ".run" / "packages" / "rabbitmq-server"
STOP_SECONDS = 15
# Everybody knows the classroom's login, and any web page can reach the broker's own page. So this user sees all, but
# manages no users and no virtual hosts. Experiments make virtual hosts, so they set KIT_BROKER_TAG to administrator.
TAG = "monitoring"


@dataclass(frozen=True)
class Binaries:
    """The path of the server, and the environment by which its scripts find each other."""

    server: Path
    path: str
    environment: dict[str, str] = field(default_factory=dict)

    def tool(self, name: str) -> str:
        found = shutil.which(name, path=self.path)
        if found is None:
            raise Problem(
                f"{name} is missing beside {self.server}", "apt-get install --reinstall erlang-base rabbitmq-server"
            )
        return found


def binaries(home: Path) -> Binaries:
    """Return the server to run: an installed one, else Debian's package. Root installs it, other users unpack it.

    Args:
        home: the node's folder; a link in it leads to the unpacked package.

    Raises:
        Problem: there is no server and we cannot get one. The message says what to do.
    """
    if installed() is None and unpacked() is None and debian.is_debian():
        debian.obtain("rabbitmq-server", UNPACKED, _settle_erlang)
    link = home / "unpacked"
    link.unlink(missing_ok=True)
    link.symlink_to(UNPACKED)
    if found := installed() or unpacked(link):
        return found
    raise Problem(
        "no RabbitMQ: none answers on port 5672 and none is installed",
        "install one (brew install rabbitmq), or set RMQ_URL to one you have, or: docker compose up -d --wait",
    )


def installed() -> Binaries | None:
    for folder in ("/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/usr/local/sbin", "/opt/rabbitmq/sbin"):
        if Path(folder, "rabbitmq-server").exists():
            return Binaries(Path(folder, "rabbitmq-server"), f"{folder}:{os.environ.get('PATH', '')}:/usr/bin:/bin")
    return None


def unpacked(folder: Path = UNPACKED) -> Binaries | None:
    """Return the server that `debian.unpack` put into `folder`. If `folder` is a link, the paths contain it."""
    server = next(folder.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"), None)
    if server is None:
        return None
    erlang = folder / "usr/lib/erlang"
    libraries = sorted({str(library.parent) for library in folder.glob("usr/lib/*-linux-gnu*/*.so*")})
    environment = {"ERL_ROOTDIR": str(erlang), "LD_LIBRARY_PATH": ":".join(libraries)}
    return Binaries(server, f"{server.parent}:{erlang / 'bin'}:/usr/bin:/bin", environment)


def _settle_erlang(tree: Path) -> None:
    """Make Erlang's start scripts read their folder from ERL_ROOTDIR. Debian built them for /usr/lib/erlang."""
    for script in tree.glob("usr/lib/erlang/**/bin/erl"):
        lines = script.read_text().splitlines(keepends=True)
        there = 'ROOTDIR="$ERL_ROOTDIR"\n'
        script.write_text("".join(there if line.strip().startswith("ROOTDIR=") else line for line in lines))


def programs(run: RunDir, ports: dict[str, int], host: str = "127.0.0.1") -> list[Program]:
    """Write the private node's files. Return the programs for its name server and for the node itself."""
    home = run.plain_path() / "rabbitmq"
    (home / "home").mkdir(parents=True, exist_ok=True)
    found = binaries(home)
    first = ""
    if few := few_plugins.home_for(found.server, home / "server"):
        scripts = few / "sbin"
        found = Binaries(scripts / "rabbitmq-server", f"{scripts}:{found.path}", found.environment)
        first = " ".join(["-pa", *few_plugins.first_folders(few), ""])
    # Erlang terms, not a rabbitmq.conf: its translation takes a quarter of the time that a node needs to start.
    (home / "rabbitmq.conf").unlink(missing_ok=True)
    (home / "advanced.config").write_text(
        f"""%% A private broker for one student: loopback only, little memory, logs to the console.
[{{rabbit, [
   {{tcp_listeners, [{{"{host}", {ports["rabbitmq"]}}}]}},
   {{default_user, <<"student">>}},
   {{default_pass, <<"qwerty">>}},
   {{default_user_tags, [{os.environ.get("KIT_BROKER_TAG", TAG)}]}},
   {{cluster_name, <<"{CLUSTER_NAME}">>}},
   {{vm_memory_high_watermark, {{absolute, "512MiB"}}}},
   {{disk_free_limit, "100MB"}},
   {{log, [{{file, [{{file, false}}]}}, {{console, [{{enabled, true}}]}}]}}]}},
 {{rabbitmq_management, [{{tcp_config, [{{ip, "127.0.0.1"}}, {{port, {ports["rabbitmq_management"]}}}]}}]}}].
"""
    )
    (home / "enabled_plugins").write_text("[rabbitmq_management].\n")
    # The node must also start on a machine whose /etc/hosts lacks localhost.
    (home / "erl_inetrc").write_text('{host, {127,0,0,1}, ["localhost"]}.\n{lookup, [file, native]}.\n')
    schedulers = min(2, os.cpu_count() or 1)
    environment = found.environment | {
        "PATH": found.path,
        "HOME": str(home / "home"),
        "RABBITMQ_NODENAME": "kit@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": host,
        "RABBITMQ_DIST_PORT": str(ports["rabbitmq_dist"]),
        "RABBITMQ_MNESIA_BASE": str(home / "data"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
        "RABBITMQ_CONF_ENV_FILE": str(home / "none"),
        "RABBITMQ_PID_FILE": str(home / "pid"),
        # Two schedulers that sleep when idle, because the broker shares the machine with all of its clients.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{first}+S {schedulers}:{schedulers} +sbwt none +sbwtdcpu none"
        " +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
        "RUNNING_UNDER_SYSTEMD": "true",  # run the Erlang VM itself instead of a shell that waits for it
        "ERL_INETRC": str(home / "erl_inetrc"),
        "ERL_CRASH_DUMP": str(home / "erl_crash.dump"),
        "ERL_EPMD_PORT": str(ports["epmd"]),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    _write_control_script(run, found, environment)
    epmd = [found.tool("epmd"), "-port", str(ports["epmd"]), "-address", "127.0.0.1"]
    return [
        Program("epmd", epmd, environment=environment),
        Program("rabbitmq", [str(found.server)], environment=environment, stop_seconds=STOP_SECONDS),
    ]


def _write_control_script(run: RunDir, found: Binaries, environment: dict[str, str]) -> None:
    """Write `<run dir>/bin/rabbitmqctl` and `rabbitmq-diagnostics`, which call the real tools for this node."""
    folder = run.path / "bin"
    folder.mkdir(exist_ok=True)
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    for tool in ("rabbitmqctl", "rabbitmq-diagnostics"):
        if real := shutil.which(tool, path=found.path):
            script = folder / tool
            script.write_text(f'#!/bin/sh\n{exports}exec {shlex.quote(real)} "$@"\n')
            script.chmod(0o755)


def data_is_safe(run: RunDir) -> bool:
    """Return whether a stopping node has closed its message stores. A closed store holds a file called clean.dot.

    The management plugin idles for five more seconds before it lets the node end. Nobody needs to wait for that.
    """
    stores = list((run.path / "rabbitmq" / "data").glob("*/msg_stores/vhosts/*/msg_store_*"))
    return bool(stores) and all((store / "clean.dot").exists() for store in stores)

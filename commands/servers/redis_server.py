"""Redis: a server that already runs, the binaries, and a private server on loopback."""

import os
import shutil
from pathlib import Path

from commands.common import debian
from commands.common.console import Problem
from commands.common.state import ROOT, RunDir
from commands.servers.ports import PREFERRED
from commands.servers.processes import Program

CONFIG_NAME = "cars-bot-kit-redis.conf"  # a server tells this name, so we recognise a kit's server
OWNER = "cars_bot:kit"
DATABASES = 16  # the default of a Redis server
UNPACKED = ROOT / ".run" / "packages" / "redis-server"


def found_on_this_machine(run: RunDir) -> str | None:
    """Return the address of a database on the standard port that is empty or ours from an earlier start, or None.

    The database is marked as ours. The private server of another kit is not used.
    """
    import redis

    from cars_bot.boundary import redis_client

    base = f"redis://127.0.0.1:{PREFERRED['redis']}"
    if why_not(f"{base}/0"):
        return None
    for number in range(DATABASES):
        client = redis_client.connect(f"{base}/{number}", 2.0, decode_responses=True)
        try:
            if CONFIG_NAME in str(client.info("server").get("config_file")):
                return None
            if client.dbsize() == 0 or client.get(OWNER) == str(run.path):
                client.set(OWNER, str(run.path))
                return f"{base}/{number}"
        except redis.RedisError:
            return None
        finally:
            client.close()
    return None


def why_not(url: str) -> str | None:
    """Return None if the server at `url` answers, else the reason in words."""
    import redis

    from cars_bot.boundary import redis_client

    try:
        client = redis_client.connect(url, 2.0)
        client.ping()
        client.close()
    except redis.AuthenticationError:
        return "the server there refuses this password"
    except (redis.RedisError, OSError, ValueError) as error:
        return f"it does not answer ({error})"
    return None


def programs(run: RunDir, ports: dict[str, int], host: str = "127.0.0.1") -> list[Program]:
    """Write the private server's configuration and return its program."""
    server, environment = binaries()
    home = run.path / "redis"
    home.mkdir(exist_ok=True)
    config = home / CONFIG_NAME
    config.write_text(
        f"""# A private Redis: loopback only. It may be emptied at any time: the database is the truth.
bind {host}
port {ports["redis"]}
dir "{home}"
daemonize no
# A title would overwrite the environment, by which a kit recognises its processes.
set-proc-title no
appendonly no
save 3600 1
stop-writes-on-bgsave-error no
maxmemory 256mb
maxmemory-policy volatile-ttl
"""
    )
    return [Program("redis", [str(server), str(config)], environment=environment, stop_seconds=10)]


def binaries() -> tuple[Path, dict[str, str]]:
    """Return the server and the environment that it needs. The order is that of `rabbitmq.binaries`.

    Raises:
        Problem: there is no server and we cannot get one. The message says what to do.
    """
    found = installed() or unpacked()
    if found is None and debian.is_debian():
        debian.obtain("redis-server", UNPACKED)
        found = installed() or unpacked()
    if found is None:
        raise Problem(
            "no Redis: none answers on port 6379 and none is installed",
            "install one (brew install redis), or set REDIS_URL to one you have, or: docker compose up -d --wait",
        )
    return found


def installed() -> tuple[Path, dict[str, str]] | None:
    server = shutil.which(
        "redis-server", path=f"{os.environ.get('PATH', '')}:/usr/bin:/opt/homebrew/bin:/usr/local/bin"
    )
    return (Path(server), {}) if server else None


def unpacked() -> tuple[Path, dict[str, str]] | None:
    server = UNPACKED / "usr/bin/redis-check-rdb"  # redis-server is a link to it in Debian's package
    if not server.exists():
        return None
    libraries = sorted({str(library.parent) for library in UNPACKED.glob("usr/lib/*-linux-gnu*/*.so*")})
    return UNPACKED / "usr/bin/redis-server", {"LD_LIBRARY_PATH": ":".join(libraries)}

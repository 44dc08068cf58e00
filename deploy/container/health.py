"""The containers' health checks: `python deploy/container/health.py KIND [ARGUMENT …]`; exit status 0 means healthy.

Docker already knows that a process exists, so a check asks for its work. A check runs every few seconds in each
container. So it imports little: nothing of the kit, and a library only in the check that needs it.

    http URL                a server answers there, and not with an error
    celery                  this container's Celery worker answers a ping through the broker
    raw                     this container's raw worker has a connection to the broker, and all its children
    leads ROLE              some process holds that lease in the database: this one, or the leader that it could replace
"""

import http.client
import json
import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 3.0  # for an answer


def http_answers(url: str) -> bool:
    """Return whether GET `url` gets a status below 400. The request uses no proxy."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=SECONDS)
    connection.request("GET", parts.path or "/")
    return connection.getresponse().status < 400


def celery_answers() -> bool:
    """Return whether the worker's event loop, its connection and the broker all work, even if its children are busy."""
    from kombu import Connection
    from kombu.pidbox import Mailbox  # the part under `celery inspect ping`; it loads no Celery and no tasks

    worker = f"celery_worker@{socket.gethostname()}"
    with Connection(os.environ.get("CELERY_BROKER_URL") or os.environ["RMQ_URL"], connect_timeout=SECONDS) as broker:
        mailbox = Mailbox("celery", type="fanout", connection=broker, accept=["json"])
        return bool(mailbox.call([worker], "ping", timeout=SECONDS))


def raw_works() -> bool:
    """Return whether the worker has a connection to the broker, and its parent has just reported all its children.

    The report is in Redis. While Redis is away, the worker goes on, and the connection alone decides.
    """
    import redis

    if not connected(os.environ["RMQ_URL"], 5672):
        return False
    client = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
    try:
        said = client.get(f"cars_bot:raw_worker:consumer@{socket.gethostname()}")
    except redis.RedisError:
        return True
    children = json.loads(said)["children"] if said else []
    return bool(children) and all(child["pid"] for child in children)


def connected(url: str, default_port: int) -> bool:
    """Return whether this container has an established TCP connection to the port in `url`."""
    port = urlsplit(url).port or default_port
    tables = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    sockets = (line.split()[2:4] for line in tables.splitlines())  # remote address and state; 01 is ESTABLISHED
    return any(remote.endswith(f":{port:04X}") and state == "01" for remote, state in sockets)


def somebody_leads(role: str) -> bool:
    """Return whether a process holds that lease now, by the database's clock."""
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=int(SECONDS)) as database:
        renewed = "SELECT 1 FROM leaders WHERE role = %s AND until > extract(epoch FROM clock_timestamp())"
        return database.execute(renewed, [role]).fetchone() is not None


def check(kind: str = "", *arguments: str) -> bool:
    """Do the check that the command line names."""
    match kind, arguments:
        case "http", [url]:
            return http_answers(url)
        case "celery", []:
            return celery_answers()
        case "raw", []:
            return raw_works()
        case "leads", [role]:
            return somebody_leads(role)
    raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.exit(0 if check(*sys.argv[1:]) else 1)

"""PostgreSQL behind a PgBouncer that gives each transaction any free session, as many hosting companies do."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from commands.servers import postgres_server
from tests.api.server import free_port
from tests.kit import Kit, running, until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
RUNS = 150  # for each lane: enough for each connection to prepare its statements many times

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(
        PROGRAM is None,
        reason="NOT TRIED: there is no pgbouncer; apt-get install pgbouncer, and the kit is tried behind a real one",
    ),
]


@contextmanager
def pgbouncer(folder: Path, server: str) -> Iterator[str]:
    """A pooler in transaction mode in front of the PostgreSQL at `server`. Yields its URL."""
    folder.mkdir()
    behind, port = urlsplit(server), free_port()
    where = behind.hostname or parse_qs(behind.query)["host"][0]
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        f"""[databases]
cars = host={where} port={behind.port or 5432} dbname={behind.path.strip("/")} user={behind.username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
"""
    )
    words = [str(PROGRAM), "-q", str(configuration)]
    if os.geteuid() == 0:  # it refuses to run as root; the server's user can reach the server's socket
        words[1:1] = ["-u", Path(where).owner()]
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    url = f"postgresql://cars@127.0.0.1:{port}/cars"
    try:
        until(lambda: process.poll() is None and answers(url), 10, "PgBouncer answers")
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=10)


def answers(url: str) -> bool:
    """Return whether the database answers a question."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A kit whose database is behind a pooler. All its processes share two sessions."""
    folder = tmp_path_factory.mktemp("pooled")
    with (
        postgres_server.running(folder / "server") as server,
        pgbouncer(folder / "pgbouncer", server.get_uri()) as url,
        running(folder / "run", DATABASE_URL=url) as kit,
    ):
        yield kit


def test_both_lanes_work_behind_a_pooler_and_doctor_finds_nothing(pooled: Kit) -> None:
    ids = [run for lane in ("celery", "raw") for run in pooled.submit(lane, "debug_task", RUNS)]

    assert pooled.all_ended(ids, 60)["done"] == 2 * RUNS
    assert pooled.command("doctor", check=False).returncode == 0


def test_nothing_is_prepared_or_set_in_a_session_that_others_use_too(pooled: Kit) -> None:
    pooled.all_ended(pooled.submit("raw", "debug_task", 20), 30)

    for _ in range(10):  # either of the two sessions may answer
        with psycopg.connect(pooled.environment["DATABASE_URL"], autocommit=True, prepare_threshold=None) as stranger:
            assert stranger.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
            assert stranger.execute("SHOW synchronous_commit").fetchone() == ("on",)

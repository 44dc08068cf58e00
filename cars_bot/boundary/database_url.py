"""Address of the database: every part of the kit reads `DATABASE_URL` here.

It names a SQLite file, or a PostgreSQL server in any form that libpq accepts.
"""

import errno
import os
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from cars_bot.boundary.url_parts import ENCODE, Unreadable
from cars_bot.boundary.urls import NOT_SHOWN, in_url
from cars_bot.errors import NotConfigured

SCHEMES = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
HIGHEST_PORT = 65_535


def of_file(path: Path) -> str:
    """Return the address of a SQLite file. The path may have any characters."""
    return URL.create("sqlite", database=str(path)).render_as_string()


def read(url: str) -> URL:
    """Split the address of a database into its parts.

    Raises:
        Unreadable: the kit cannot use the address. The message repeats no part of it.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        raise Unreadable("it must be sqlite:////path/of/a/file or postgresql://user:password@host:port/name")
    if not url.isprintable():
        raise Unreadable("it has an invisible character in it; type it again")
    try:
        found = make_url(f"{SCHEMES[scheme]}://{rest}")
    except (ArgumentError, ValueError):
        raise Unreadable(f"it cannot be split into its parts; {ENCODE}") from None
    if scheme == "sqlite":
        _check_file(found)
    else:
        _check_server(found)
    return found


def _check_file(found: URL) -> None:
    if found.query or found.host or not found.database or found.database.startswith((":memory:", "file:")):
        raise Unreadable(
            "it names no file; several processes share the database, so it must be sqlite:////path/of/a/file"
        )
    if not Path(found.database).is_absolute():
        raise Unreadable(
            "its path is relative, and each process would look in another folder; write sqlite:////path/of/a/file"
        )


def _check_server(found: URL) -> None:
    if found.host and {",", ";", "@", "/"} & set(found.host):
        raise Unreadable(f"its host is not a name or an address; write several hosts as ?host=a,b; {ENCODE}")
    if found.port is not None and not 0 < found.port <= HIGHEST_PORT:
        raise Unreadable(f"its port must be a number from 1 to {HIGHEST_PORT}")
    from psycopg import ProgrammingError  # not at the top: a kit on SQLite does not need it
    from psycopg.conninfo import make_conninfo

    _, arguments = found.get_dialect()().create_connect_args(found)
    try:
        make_conninfo(**arguments)
    except (ProgrammingError, ValueError, TypeError):
        raise Unreadable("libpq does not know one of its parameters (after the ?); correct or remove it") from None


def make_folder(url: str) -> None:
    """Make the folder of a SQLite file.

    Raises:
        NotConfigured: the kit cannot make the folder or cannot write to it.
    """
    found = read(url)
    if found.drivername != "sqlite" or not found.database:
        return
    folder = Path(found.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, "it may not be written to")
    except OSError as error:
        raise NotConfigured(
            f"the database's folder {folder} cannot be used ({error.strerror}); set KIT_RUN_DIR (or DATABASE_URL) to "
            "another place"
        ) from None


def shown(url: str) -> str:
    """Return `url` for a log or a terminal: without password and parameters."""
    try:
        found = read(url)
    except Unreadable:
        return NOT_SHOWN
    if found.drivername == "sqlite":
        return f"sqlite:///{found.database}"
    who = f"{quote(found.username, safe='')}{':***' * bool(found.password)}@" if found.username else ""
    where = in_url(found.host or "") + (f":{found.port}" if found.port else "")
    return f"postgresql://{who}{where}/{quote(found.database or '', safe='')}"

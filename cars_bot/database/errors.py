"""Errors of database drivers, as errors of ours: unavailable now, or refused for good, with the name of the value."""

import re

from sqlalchemy import String
from sqlalchemy.exc import DBAPIError

from cars_bot.database.models import metadata
from cars_bot.errors import StorageUnavailable, Unstorable


class Available:
    """Context manager: replaces the driver's errors by ours. No driver's error leaves the database package.

    A driver cannot send some values, such as a lone surrogate (half an emoji) or a number over 64 bits. It refuses them
    with Python's own errors. These stay as they are, because a job's code may raise them too. This is a class, because
    every statement enters it. A generator costs three times as much.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if not isinstance(error, DBAPIError):
            return
        passing = error.__class__.__name__ in ("OperationalError", "InterfaceError", "InternalError")
        if passing or error.orig.__class__.__name__ in _TABLES_ARE_YET_TO_COME:
            raise StorageUnavailable(f"the database cannot be used now: {error.orig}") from error
        raise Unstorable(f"the database refuses {_field(error)}: {str(error.orig).strip()}"[:500]) from error


available = Available()
_TABLES_ARE_YET_TO_COME = ("UndefinedTable", "UndefinedColumn")  # a worker may start before the API has made the tables
_TABLE = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_NUMBERED = re.compile(r"(?:_m?\d+|__\d+)$")  # SQLAlchemy's endings of a column's name, if there are several rows


def _field(error: DBAPIError) -> str:
    """Return the name of the refused value. PostgreSQL does not name a value that is too long. Our values tell it."""
    found = _TABLE.match(error.statement or "")
    table = metadata.tables.get(found[1]) if found else None
    if table is None:
        return "a statement"
    rows = error.params if isinstance(error.params, list) else [error.params]
    for row in rows:
        for name, value in row.items() if isinstance(row, dict) else ():
            column = table.columns.get(_NUMBERED.sub("", name))
            longest = column.type.length if column is not None and isinstance(column.type, String) else None
            if column is not None and isinstance(value, str):
                if longest and len(value) > longest:
                    return f"{table.name}.{column.name} of {len(value)} characters, over {longest}"
                if "\0" in value:
                    return f"{table.name}.{column.name} with a NUL character"
    return f"a row of {table.name}"

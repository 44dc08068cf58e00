"""A database driver's errors in our words: unavailable now, or refused for good, and then what was refused."""

import re

from sqlalchemy import String
from sqlalchemy.exc import DBAPIError

from cars_bot.database.models import metadata
from cars_bot.errors import StorageUnavailable, Unstorable


class Available:
    """Says in our words what the driver means: no error of a driver's own goes further than the database's module.

    A driver refuses what it cannot even send (half an emoji, a number over 64 bits) with Python's own errors; those are
    left as they are, because a job's code may raise them too. A class, because it is entered for every statement, and a
    generator costs three times as much.
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
_TABLES_ARE_YET_TO_COME = ("UndefinedTable", "UndefinedColumn")  # a worker that is there before the API made them
_TABLE = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_NUMBERED = re.compile(r"(?:_m?\d+|__\d+)$")  # SQLAlchemy's endings for the same column in several rows


def _field(error: DBAPIError) -> str:
    """Name what was refused. PostgreSQL does not say which value was too long; the statement's own values do."""
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

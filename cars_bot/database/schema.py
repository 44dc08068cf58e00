"""Schema: creates missing tables, columns and indices, and updates the tables of an earlier version."""

from contextlib import suppress

from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex

from cars_bot import database
from cars_bot.database import tallies
from cars_bot.database.models import OBSOLETE_INDICES, SQLITE_ONLY, metadata


def create_tables() -> None:
    """Create all that is missing, also in tables of an earlier version. A second call does no harm."""
    engine = database.engine()
    metadata.create_all(engine)
    for table in metadata.sorted_tables:
        there = {column["name"] for column in inspect(engine).get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                kind = column.type.compile(engine.dialect)
                if column.computed is not None:  # SQLite can only add a column that it computes at each read
                    stored = "VIRTUAL" if engine.dialect.name == "sqlite" else "STORED"
                    kind += f" GENERATED ALWAYS AS ({column.computed.sqltext}) {stored}"
                with suppress(DBAPIError), engine.connect() as connection:  # another process may be a little faster
                    connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}")
        for index in table.indexes:
            if not (engine.dialect.name == "postgresql" and index.name in SQLITE_ONLY):
                with suppress(DBAPIError), engine.connect() as connection:
                    connection.execute(CreateIndex(index, if_not_exists=True))
    with engine.connect() as connection:
        for name in OBSOLETE_INDICES:
            connection.exec_driver_sql(f"DROP INDEX IF EXISTS {name}")
    tallies.install()

"""The database's tables: made where they are missing, and brought up to date where an earlier version made them."""

from contextlib import suppress

from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex

from cars_bot import database
from cars_bot.database import tallies
from cars_bot.database.models import OBSOLETE_INDICES, SQLITE_ONLY, metadata


def create_tables() -> None:
    """Create what is missing, in tables of an earlier version too; harmless when everything is there."""
    engine = database.engine()
    metadata.create_all(engine)
    for table in metadata.sorted_tables:
        there = {column["name"] for column in inspect(engine).get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                kind = column.type.compile(engine.dialect)
                if column.computed is not None:  # SQLite can only add one that is worked out when it is read
                    stored = "VIRTUAL" if engine.dialect.name == "sqlite" else "STORED"
                    kind += f" GENERATED ALWAYS AS ({column.computed.sqltext}) {stored}"
                with suppress(DBAPIError), engine.connect() as connection:  # another may be faster by a hair
                    connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}")
        for index in table.indexes:
            if not (engine.dialect.name == "postgresql" and index.name in SQLITE_ONLY):
                with suppress(DBAPIError), engine.connect() as connection:
                    connection.execute(CreateIndex(index, if_not_exists=True))
    with engine.connect() as connection:
        for name in OBSOLETE_INDICES:
            connection.exec_driver_sql(f"DROP INDEX IF EXISTS {name}")
    tallies.install()

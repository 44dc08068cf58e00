"""Database: the truth about runs. It is used through `statements()` and `writing()` (`transactions.py`)."""

from cars_bot.database.engines import close, engine, forbid, is_file, is_forbidden, new_engine
from cars_bot.database.prepared import Prepared
from cars_bot.database.transactions import (
    compare_clocks,
    insert,
    insert_if_new,
    one_statement,
    statements,
    statements_together,
    writing,
)

__all__ = [
    "Prepared",
    "close",
    "compare_clocks",
    "engine",
    "forbid",
    "insert",
    "insert_if_new",
    "is_file",
    "is_forbidden",
    "new_engine",
    "one_statement",
    "statements",
    "statements_together",
    "writing",
]

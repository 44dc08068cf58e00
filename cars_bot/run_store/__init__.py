"""Run store: takes attempts and records their outcomes, in the database or over HTTP."""

from cars_bot.run_store.ending import put_aside
from cars_bot.run_store.in_database import DATABASE_STORE
from cars_bot.run_store.protocol import RunStore
from cars_bot.run_store.read_ahead import ReadAheadStore

__all__ = ["DATABASE_STORE", "ReadAheadStore", "RunStore", "put_aside"]

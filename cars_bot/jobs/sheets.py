"""Jobs with Google Sheets: they read channels and subscribers, and they write analytics and the log."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, func, select

from cars_bot import database, idempotency
from cars_bot.boundary import outside
from cars_bot.clients import spreadsheet
from cars_bot.context import Context
from cars_bot.database.cars_models import channels, publications, subscribers
from cars_bot.database.models import runs
from cars_bot.errors import Permanent
from cars_bot.processes import clock

CHANNELS, SUBSCRIBERS, ANALYTICS, LOG = "Channels", "Subscribers", "Analytics", "Log"
MARK = 64  # characters; the most for a yes, a no or a date
YES = {"yes", "true", "1", "y", "да", "истина", "x", "✓", "+"}
NO = {"", "no", "false", "0", "n", "нет", "ложь", "-"}
DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S")  # the forms that people and Google write
MOST_NAMED = 10  # rows; an error names at most so many
Row = dict[str, Any]


def sync_channels(context: Context) -> dict[str, Any]:
    """Copy the channels of the worksheet "Channels" into the database (username, title, active)."""
    now = clock.now()

    def row(record: spreadsheet.Record) -> Row:
        found: Row = {"username": _chat(record, "username", channels.c.username), "synced_at": now}
        found["active"] = _yes(record, "active")
        return found | _optional(record, "title", channels.c.title)

    rows, again = _rows(spreadsheet.read(CHANNELS, ("username", "active"), ("title",)), "username", row)
    context.write(lambda connection: _keep(connection, channels, "username", rows))
    context.effect("sync", context.run_id, {"channels": len(rows)})
    return {"channels": len(rows), "active": sum(row["active"] for row in rows), "listed_twice": again}


def sync_subscribers(context: Context) -> dict[str, Any]:
    """Copy the subscribers of the worksheet "Subscribers" into the database (chat, name, expires as YYYY-MM-DD)."""
    now = clock.now()

    def row(record: spreadsheet.Record) -> Row:
        expires = _end_of(record, "expires")
        found: Row = {"chat": _chat(record, "chat", subscribers.c.chat), "expires_at": expires}
        found["active"] = expires is None or expires > now
        return found | _optional(record, "name", subscribers.c.name)

    rows, again = _rows(spreadsheet.read(SUBSCRIBERS, ("chat", "expires"), ("name",)), "chat", row)
    context.write(lambda connection: _keep(connection, subscribers, "chat", rows))
    context.effect("sync", context.run_id, {"subscribers": len(rows)})
    return {"subscribers": len(rows), "listed_twice": again}


def _rows(
    records: list[spreadsheet.Record], key: str, read: Callable[[spreadsheet.Record], Row]
) -> tuple[list[Row], list[str]]:
    """Return the rows to store, and the keys that the worksheet lists more than once. The last row of a key counts.

    A worksheet is copied whole or not at all. A half copy would look complete, and nobody reads the results of a job
    that runs every minute.

    Raises:
        Permanent: some cells cannot be used. The message names the first few.
    """
    rows: dict[str, Row] = {}
    again, wrong = set(), []
    for record in records:
        if not outside.bare(record.cells[key]):
            continue
        try:
            row = read(record)
        except Permanent as error:
            wrong.append(str(error))
            continue
        if row[key] in rows:
            again.add(row[key])
        rows[row[key]] = row
    if wrong:
        more = f"; and {len(wrong) - MOST_NAMED} more rows" if len(wrong) > MOST_NAMED else ""
        raise Permanent(f"{'; '.join(wrong[:MOST_NAMED])}{more}. Nothing was stored; correct the worksheet")
    return list(rows.values()), sorted(again)


def _keep(connection: Connection, table: Table, key: str, rows: list[Row]) -> None:
    for row in rows:
        statement = database.insert(table).values(row)
        connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=row))


def update_analytics(context: Context) -> dict[str, Any]:
    """Rewrite the worksheet "Analytics": runs per lane, job and state, and publications per channel."""
    with database.statements() as connection:
        counts = connection.execute(
            select(runs.c.lane, runs.c.job, runs.c.state, func.count()).group_by(runs.c.lane, runs.c.job, runs.c.state)
        ).all()
        published = connection.execute(
            select(publications.c.channel, func.count()).group_by(publications.c.channel)
        ).all()
    rows = [["runs", f"{lane} · {job}", state, count] for lane, job, state, count in sorted(map(tuple, counts))]
    rows += [["publications", channel, "", count] for channel, count in sorted(map(tuple, published))]
    spreadsheet.replace(ANALYTICS, ["what", "of", "state", "count"], rows)
    context.effect("analytics", context.run_id, {"rows": len(rows)})
    return {"rows": len(rows)}


def log_to_sheets(context: Context, event: str, details: str = "") -> dict[str, Any]:
    """Append one line to the worksheet "Log"."""
    moment = datetime.now(UTC).isoformat(timespec="seconds")

    def append() -> dict[str, Any]:
        spreadsheet.append(LOG, ["time", "event", "details", "run"], [[moment, event, details, context.run_id]])
        return {}

    idempotency.once(context, "row", f"log:{context.run_id}", append)
    return {"logged": event}


def _longest(column: Column[str]) -> int:
    """Return the number of characters that fit into a column of our tables."""
    return int(column.type.length)  # type: ignore[attr-defined]


def _chat(record: spreadsheet.Record, name: str, column: Column[str]) -> str:
    """Return a chat's name in its one spelling."""
    return outside.fitting(outside.channel(record.cells[name]), _longest(column), record.place(name))


def _optional(record: spreadsheet.Record, name: str, column: Column[str]) -> Row:
    """Return a cell of an optional column. Without the column the result is empty, and the stored value stays."""
    return {name: record.text(name, _longest(column)) or None} if name in record.cells else {}


def _yes(record: spreadsheet.Record, name: str) -> bool:
    """Return whether a cell says yes. An empty cell says no.

    Raises:
        Permanent: the cell says neither.
    """
    said = record.text(name, MARK).lower()
    if said not in YES | NO:
        raise Permanent(f"{record.place(name)}: {said!r} is neither yes nor no; write one of them")
    return said in YES


def _end_of(record: spreadsheet.Record, name: str) -> float | None:
    """Return the end of a day, in seconds since 1970. None for an empty cell: the subscription does not end.

    Raises:
        Permanent: the cell does not hold a day.
    """
    if not (day := record.text(name, MARK)):
        return None
    for form in DAYS:
        with suppress(ValueError, OverflowError):
            return datetime.strptime(day, form).replace(hour=23, minute=59, second=59, tzinfo=UTC).timestamp()
    raise Permanent(f"{record.place(name)}: {day!r} is no day; write it as YYYY-MM-DD")

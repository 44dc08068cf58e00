"""Google Sheets: people keep channels and subscribers there and read analytics and the log there."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Table, func, select

from cars_bot import database, idempotency, outside
from cars_bot.clients import spreadsheet
from cars_bot.context import Context
from cars_bot.errors import Permanent
from cars_bot.models import channels, publications, runs, subscribers

CHANNELS, SUBSCRIBERS, ANALYTICS, LOG = "Channels", "Subscribers", "Analytics", "Log"
YES = {"yes", "true", "1", "y", "да", "истина", "x", "✓", "+"}
NO = {"", "no", "false", "0", "n", "нет", "ложь", "-", "✗"}
MOST_NAMED = 10  # cells that an error names
T = TypeVar("T")


def sync_channels(context: Context) -> dict[str, Any]:
    """Take over the channels listed in the worksheet "Channels" (username, title, active)."""
    now = time.time()

    def channel(cells: dict[str, str], read: Reader) -> dict[str, Any] | None:
        if not (name := outside.channel(cells["username"])):
            return None
        row: dict[str, Any] = {
            "username": read("username", outside.fitting, name, channels.c.username),
            "synced_at": now,
        }
        row["active"] = read("active", _yes, cells["active"])
        return row | read.text("title", channels.c.title)

    rows, again = _rows(spreadsheet.read(CHANNELS, ["username", "active"], ["title"]), CHANNELS, channel, "username")
    context.write(lambda connection: _keep(connection, channels, "username", rows))
    context.effect("sync", context.run_id, {"channels": len(rows)})
    return {"channels": len(rows), "active": sum(row["active"] for row in rows), "listed_twice": again}


def sync_subscribers(context: Context) -> dict[str, Any]:
    """Take over the subscribers listed in the worksheet "Subscribers" (chat, name, expires as YYYY-MM-DD)."""
    now = time.time()

    def subscriber(cells: dict[str, str], read: Reader) -> dict[str, Any] | None:
        if not (chat := outside.channel(cells["chat"])):
            return None
        row: dict[str, Any] = {"chat": read("chat", outside.fitting, chat, subscribers.c.chat)}
        expires = row["expires_at"] = read("expires", _end_of, cells["expires"])
        row["active"] = expires is None or expires > now
        return row | read.text("name", subscribers.c.name)

    found = spreadsheet.read(SUBSCRIBERS, ["chat", "expires"], ["name"])
    rows, again = _rows(found, SUBSCRIBERS, subscriber, "chat")
    context.write(lambda connection: _keep(connection, subscribers, "chat", rows))
    context.effect("sync", context.run_id, {"subscribers": len(rows)})
    return {"subscribers": len(rows), "listed_twice": again}


class Reader:
    """Reads the cells of one row and remembers which of them cannot be used."""

    def __init__(self, worksheet: str, row: spreadsheet.Row, wrong: list[str]) -> None:
        self._worksheet, self._row, self._wrong = worksheet, row, wrong

    def __call__(self, column: str, read: Callable[..., T], *values: Any) -> T | None:
        """Return `read(*values)`; None if the cell is unfit for it."""
        try:
            return read(*values)
        except outside.Unfit as error:
            self._wrong.append(f'row {self._row.number}, column "{column}": {error}')
            return None

    def text(self, name: str, column: Column[Any]) -> dict[str, str | None]:
        """Return the cell under the name of its column in the database; nothing if the worksheet has no such column."""
        if name not in self._row.cells:
            return {}
        return {column.name: self(name, outside.fitting, self._row.cells[name], column) or None}


def _rows(
    table: list[spreadsheet.Row],
    worksheet: str,
    read_row: Callable[[dict[str, str], Reader], dict[str, Any] | None],
    key: str,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what is to be stored of a worksheet, and the keys that are listed more than once: the last counts.

    A worksheet is taken over whole or not at all: half of it would look like all of it.

    Raises:
        Permanent: some cells cannot be used; the message names each, or the first few of many.
    """
    wrong: list[str] = []
    found: dict[str, dict[str, Any]] = {}
    again = set()
    for row in table:
        if read := read_row(row.cells, Reader(worksheet, row, wrong)):
            if read[key] in found:
                again.add(read[key])
            found[read[key]] = read
    if wrong:
        more = f"; and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise Permanent(
            f'worksheet "{worksheet}": {"; ".join(wrong[:MOST_NAMED])}{more}. Nothing was taken over; correct the cells'
        )
    return list(found.values()), sorted(again)


def _keep(connection: Connection, table: Table, key: str, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        statement = database.insert(table).values(row)
        connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=row))


def update_analytics(context: Context) -> dict[str, Any]:
    """Write the worksheet "Analytics" anew: runs per lane, job and state, and publications per channel."""
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


def _yes(cell: str) -> bool:
    """Whether a cell says yes; an empty one says no.

    Raises:
        Unfit: it says neither.
    """
    said = outside.bare(cell).casefold()
    if said in YES:
        return True
    if said in NO:
        return False
    raise outside.Unfit(f"{outside.shortened(cell, 20)!r} is neither yes nor no")


def _end_of(cell: str) -> float | None:
    """The end of a day, in seconds since 1970; None for an empty cell: the subscription does not end.

    Raises:
        Unfit: it is no day, written as YYYY-MM-DD or DD.MM.YYYY.
    """
    if not (day := outside.bare(cell)):
        return None
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S"):
        with suppress(ValueError):
            end = datetime.strptime(day, form).replace(hour=23, minute=59, second=59, tzinfo=UTC).timestamp()
            return min(max(end, 0.0), outside.LAST_DAY)
    raise outside.Unfit(f"{outside.shortened(cell, 20)!r} is no day; write it as YYYY-MM-DD")

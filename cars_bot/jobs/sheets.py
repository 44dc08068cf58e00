"""Google Sheets: people keep channels and subscribers there and read analytics and the log there."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, func, select

from cars_bot import clock, database, idempotency
from cars_bot.clients import spreadsheet
from cars_bot.context import Context
from cars_bot.models import channels, publications, runs, subscribers

CHANNELS, SUBSCRIBERS, ANALYTICS, LOG = "Channels", "Subscribers", "Analytics", "Log"
MARK = 64  # characters that a yes, a no or a date may have
YES = {"yes", "true", "1", "y", "да", "x", "✓"}


def sync_channels(context: Context) -> dict[str, Any]:
    """Take over the channels listed in the worksheet "Channels" (username, title, active)."""
    now = clock.now()
    rows = [
        {
            "username": name,
            "title": record.text("title", _longest(channels.c.title)) or None,
            "active": record.text("active", MARK).lower() in YES,
            "synced_at": now,
        }
        for record in spreadsheet.read(CHANNELS, ("username", "active"))
        if (name := record.text("username", _longest(channels.c.username)))
    ]

    def keep(connection: Connection) -> None:
        for row in rows:
            statement = database.insert(channels).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["username"], set_=row))

    context.write(keep)
    context.effect("sync", context.run_id, {"channels": len(rows)})
    return {"channels": len(rows), "active": sum(row["active"] for row in rows)}


def sync_subscribers(context: Context) -> dict[str, Any]:
    """Take over the subscribers listed in the worksheet "Subscribers" (chat, name, expires as YYYY-MM-DD)."""
    now, rows, wrong = clock.now(), [], []
    for record in spreadsheet.read(SUBSCRIBERS, ("chat", "expires")):
        if not (chat := record.text("chat", _longest(subscribers.c.chat))):
            continue
        try:
            expires = _end_of(record.text("expires", MARK))
        except (ValueError, OverflowError):
            wrong.append(chat)
            continue
        name = record.text("name", _longest(subscribers.c.name)) or None
        active = expires is None or expires > now
        rows.append({"chat": chat, "name": name, "expires_at": expires, "active": active})

    def keep(connection: Connection) -> None:
        for row in rows:
            statement = database.insert(subscribers).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["chat"], set_=row))

    context.write(keep)
    context.effect("sync", context.run_id, {"subscribers": len(rows)})
    return {"subscribers": len(rows), "unreadable": wrong}


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


def _longest(column: Column[str]) -> int:
    """How many characters fit into a column of our tables."""
    return int(column.type.length)  # type: ignore[attr-defined]


def _end_of(day: str) -> float | None:
    """The end of a day given as YYYY-MM-DD, in seconds; None for an empty cell: it does not end."""
    if not day:
        return None
    return datetime.fromisoformat(day).replace(hour=23, minute=59, second=59, tzinfo=UTC).timestamp()

"""Jobs that look after the system: ended subscriptions, statistics, old results and a health check."""

import time
from typing import Annotated, Any

import redis
from pydantic import Field
from sqlalchemy import Connection, delete, func, select, text, update

from cars_bot import database, ledger
from cars_bot.clients import telegram
from cars_bot.context import Context
from cars_bot.database.cars_models import analyses, posts, publications, stats, subscribers
from cars_bot.database.models import claims, effects, idempotency_keys, runs
from cars_bot.errors import CarsBotError
from cars_bot.processes import clock

DAY = 86_400.0


def check_subscriptions(context: Context) -> dict[str, Any]:
    """Deactivate the subscriptions that have ended."""
    over = (subscribers.c.expires_at < clock.now()) & subscribers.c.active
    with database.statements() as connection:
        expired = list(connection.execute(select(subscribers.c.chat).where(over)).scalars())

    def expire(connection: Connection) -> None:
        connection.execute(update(subscribers).where(subscribers.c.chat.in_(expired), over).values(active=False))

    context.write(expire)
    context.effect("check", context.run_id, {"expired": len(expired)})
    return {"expired": expired}


def collect_stats(context: Context) -> dict[str, Any]:
    """Count runs, posts, analyses and publications, and store the numbers."""
    with database.statements() as connection:
        states = connection.execute(
            select(runs.c.lane, runs.c.state, func.count()).group_by(runs.c.lane, runs.c.state)
        ).all()
        values: dict[str, Any] = {"runs": {}}
        for lane, state, count in states:
            values["runs"].setdefault(lane, {})[state] = count
        for name, table in (("posts", posts), ("analyses", analyses), ("publications", publications)):
            values[name] = connection.execute(select(func.count()).select_from(table)).scalar_one()
    context.write(lambda connection: _keep(connection, values))
    context.effect("stats", context.run_id)
    return values


def _keep(connection: Connection, values: dict[str, Any]) -> None:
    connection.execute(stats.insert().values({"taken_at": clock.now(), "values": values}))


def cleanup_old_results(context: Context, days: Annotated[float, Field(gt=0, le=36_500)] = 7.0) -> dict[str, Any]:
    """Delete ended runs older than `days` days, with their effects, claims and idempotency keys."""
    before = clock.now() - days * DAY
    old_runs = select(runs.c.id).where(runs.c.finished_at < before)
    with database.statements() as connection:
        found = connection.execute(select(func.count()).select_from(old_runs.subquery())).scalar_one()

    def clean(connection: Connection) -> None:
        connection.execute(delete(effects).where(effects.c.run_id.in_(old_runs)))
        connection.execute(delete(claims).where(claims.c.settled_at < before))
        connection.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < before))
        connection.execute(delete(runs).where(runs.c.finished_at < before))

    context.write(clean)
    context.effect("cleanup", context.run_id, {"runs": found})
    return {"deleted_runs": found, "older_than_days": days}


def health_check(context: Context) -> dict[str, Any]:
    """Ask the database, Redis and Telegram for an answer, and measure the time in milliseconds."""

    def ask_database() -> None:
        with database.statements() as connection:
            connection.execute(text("SELECT 1"))

    answers: dict[str, Any] = {}
    for name, ask in (
        ("database", ask_database),
        ("redis", ledger.connect().ping),
        ("telegram", telegram.get_me),
    ):
        began = time.perf_counter()
        try:
            ask()
        except (CarsBotError, redis.RedisError) as error:
            answers[name] = {"ok": False, "error": str(error)}
        else:
            answers[name] = {"ok": True, "milliseconds": round((time.perf_counter() - began) * 1000, 1)}
    context.effect("check", context.run_id)
    return {"healthy": all(answer["ok"] for answer in answers.values()), **answers}

"""Group commit: one thread accepts all submissions of the same moment in one transaction.

    request ─┐
    request ─┼─> waiting ─> one transaction: all keys, all runs ─> each request's own answer
    request ─┘

A transaction costs about the same for one run as for twenty. With one transaction per request, a busy API did little
else. While a transaction runs, the next requests gather. No request waits for others to come.

Each request keeps its own key, its own replay and its own refusal. If the database refuses a value, the requests of the
group are accepted one by one, so only the request with that value fails. If the database is away, nothing was accepted,
and all requests of the group get that error.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from api.errors import Refused
from cars_bot import database, ledger, runs
from cars_bot.database.models import idempotency_keys
from cars_bot.errors import StorageUnavailable
from cars_bot.processes import clock
from cars_bot.processes.crash import crash_point

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 2_000  # in one transaction; a single request may bring half of them
PATIENCE = 5.0  # seconds to finish the waiting requests when the API stops

Reply = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """The runs that one request submits. `body_hash` distinguishes two bodies with the same key."""

    lane: str
    rows: Sequence[dict[str, Any]]
    reply: Reply
    key: str | None = None
    body_hash: str = ""


@dataclass(frozen=True)
class Answer:
    """The reply to an order. `repeated` means that it is the reply to an earlier request with the same key."""

    reply: Reply
    repeated: bool = False


Verdict = Answer | Exception
Tell = Callable[[Sequence[tuple[Any, Verdict]]], None]


@dataclass
class Acceptance(threading.Thread):
    """The thread that accepts orders.

    Args:
        tell: called from this thread with (ticket, verdict) for each order of a finished group.
    """

    tell: Tell
    _waiting: list[tuple[Any, Order, float]] = field(default_factory=list)  # ticket, order, time of arrival
    _news: threading.Condition = field(default_factory=threading.Condition)
    _stopping: bool = False

    def __post_init__(self) -> None:
        super().__init__(name="acceptance", daemon=True)

    __hash__ = threading.Thread.__hash__

    def submit(self, ticket: Any, order: Order) -> None:
        """Accept `order` with the next group. `tell` then gets its verdict, under this `ticket`."""
        with self._news:
            self._waiting.append((ticket, order, time.monotonic()))
            self._news.notify()

    def run(self) -> None:
        """Accept group after group, until the thread is stopped and nothing waits."""
        while group := self._next_group():
            tickets, orders, came = zip(*group, strict=True)
            verdicts = accept(orders, time.monotonic() - came[0])
            self.tell(list(zip(tickets, verdicts, strict=True)))

    def _next_group(self) -> list[tuple[Any, Order, float]]:
        with self._news:
            self._news.wait_for(lambda: self._waiting or self._stopping)
            size = rows = 0
            for _, order, _ in self._waiting:
                rows += len(order.rows)
                if size and rows > ROWS_AT_ONCE:
                    break
                size += 1
            group, self._waiting = self._waiting[:size], self._waiting[size:]
        return group

    def stop(self) -> None:
        """Accept the waiting orders, then end the thread."""
        with self._news:
            self._stopping = True
            self._news.notify()
        self.join(PATIENCE)


def accept(orders: Sequence[Order], waited: float = 0.0) -> list[Verdict]:
    """Accept `orders` in one transaction and return a verdict for each. Never raises.

    Args:
        waited: seconds that the first order has waited already.
    """
    crash_point("before-accept")
    try:
        with_keys = any(order.key is not None for order in orders)  # without keys, one statement is enough
        with database.writing(waited) if with_keys else database.one_statement(waited) as connection:
            verdicts = _insert(connection, orders)
    except StorageUnavailable as error:
        return [error] * len(orders)
    except Exception as error:
        if len(orders) == 1:
            return [error]
        return [verdict for order in orders for verdict in accept([order])]
    crash_point("after-accept")
    for order, verdict in zip(orders, verdicts, strict=True):
        if isinstance(verdict, Answer) and not verdict.repeated:
            for row in order.rows:
                ledger.record("accepted", row["id"], order.lane)
    return verdicts


def _insert(connection: Connection, orders: Sequence[Order]) -> list[Verdict]:
    verdicts = _take_keys(connection, orders)
    rows = [
        row
        for order, verdict in zip(orders, verdicts, strict=True)
        if isinstance(verdict, Answer) and not verdict.repeated
        for row in order.rows
    ]
    if rows:
        runs.insert_all(connection, rows)
    return verdicts


def _take_keys(connection: Connection, orders: Sequence[Order]) -> list[Verdict]:
    """Take the orders' keys. An order whose key is taken already, also in this group, gets the earlier reply."""
    taken = _insert_keys(connection, {order.key: order for order in reversed(orders) if order.key is not None})
    verdicts: list[Verdict] = []
    for order in orders:
        if order.key is None:
            verdicts.append(Answer(order.reply))
        elif (earlier := taken.get(order.key)) is None:
            taken[order.key] = order.body_hash, order.reply
            verdicts.append(Answer(order.reply))
        elif earlier[0] == order.body_hash:
            verdicts.append(Answer(earlier[1], repeated=True))
        else:
            why = "this Idempotency-Key came with another body before; send a new request with a new key"
            verdicts.append(Refused(422, "key_reused", why))
    return verdicts


def _insert_keys(connection: Connection, by_key: dict[str, Order]) -> dict[str, tuple[str, Reply]]:
    """Insert the keys. Return (hash of the body, reply) for each key that existed before."""
    table, now = idempotency_keys.c, clock.now()
    rows = [
        {"key": f"runs:{key}", "body_hash": order.body_hash, "reply": order.reply, "created_at": now}
        for key, order in sorted(by_key.items())  # sorted, so that two APIs never wait for each other in a circle
    ]
    if not rows:
        return {}
    insert = database.insert(idempotency_keys).on_conflict_do_nothing().returning(table.key)
    inserted = set(connection.execute(insert, rows).scalars())
    before = [row["key"] for row in rows if row["key"] not in inserted]
    if not before:
        return {}
    found = connection.execute(select(table.key, table.body_hash, table.reply).where(table.key.in_(before)))
    return {row.key.removeprefix("runs:"): (row.body_hash, row.reply) for row in found}

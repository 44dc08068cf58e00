"""Sending to Telegram: a post to a channel, a seller's contacts to a subscriber.

Telegram takes no idempotency key, so each message is claimed before it is sent (`idempotency.py`).
"""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select

from cars_bot import database, idempotency
from cars_bot.clients import telegram
from cars_bot.context import Context
from cars_bot.crash import crash_point
from cars_bot.errors import OutcomeUnknown, Permanent
from cars_bot.models import analyses, publications, subscribers
from cars_bot.settings import settings

CURRENCY_SIGNS = {"RUB": "₽", "USD": "$", "EUR": "€", "KZT": "₸", "GBP": "£", "UAH": "₴", "GEL": "₾"}


def format_post(post_id: int, car: dict[str, Any], description: str) -> str:
    """The text of a publication: what is known, a line each; what is not known is left out."""
    title = " ".join(str(part) for part in (car["make"], car["model"]) if part) or "Car for sale"
    year = f", {car['year']}" if car["year"] else ""
    lines = [f"🚗 {title}{year}"]
    if car["price"] is not None:
        currency = car["currency"] or ""
        lines.append(f"💰 {car['price']:,} {CURRENCY_SIGNS.get(currency, currency)}".replace(",", " ").rstrip())
    if car["mileage_km"] is not None:
        lines.append(f"🛣 {car['mileage_km']:,} km".replace(",", " "))
    if car["city"]:
        lines.append(f"📍 {car['city']}")
    return "\n".join([*lines, "", description, "", f"№ {post_id}"])


def publish_post(context: Context, post_id: int, channel: str | None = None) -> dict[str, Any]:
    """Format an analysed post and publish it to a channel."""
    channel = channel or settings().channel
    analysis = _analysis(post_id, context.lane)
    text = format_post(post_id, analysis.car, analysis.description)
    key = f"publish:{post_id}:{channel}"

    def keep(connection: Connection, message_id: int) -> None:
        row = {"post_id": post_id, "channel": channel, "message_id": message_id, "run_id": context.run_id,
               "sent_at": time.time()}  # fmt: skip
        database.insert_if_new(connection, publications, row)

    message_id, again = _send_once(context, key, lambda: telegram.send_message(channel, text), keep)
    return {"post_id": post_id, "channel": channel, "message_id": message_id, "already_published": again}


def send_contact_info(context: Context, post_id: int, subscriber: str) -> dict[str, Any]:
    """Send the seller's contacts of a post to a subscriber, if the subscription is active."""
    with database.statements() as connection:
        row = connection.execute(select(subscribers).where(subscribers.c.chat == subscriber)).one_or_none()
    if row is None or not row.active:
        raise Permanent(f"{subscriber!r} has no active subscription")
    car = _analysis(post_id, context.lane).car
    contacts = [*car["phones"], *([car["telegram"]] if car["telegram"] else [])]
    text = f"№ {post_id}: " + (", ".join(contacts) or "the post names no contacts")

    message_id, again = _send_once(
        context,
        f"contacts:{post_id}:{subscriber}",
        lambda: telegram.send_message(subscriber, text),
        lambda *_: None,
    )
    return {"post_id": post_id, "subscriber": subscriber, "message_id": message_id, "already_sent": again}


def _analysis(post_id: int, lane: str) -> Any:
    with database.statements() as connection:
        wanted = select(analyses).where(analyses.c.post_id == post_id, analyses.c.lane == lane)
        found = connection.execute(wanted).one_or_none()
    if found is None or found.car is None:
        what = "has not been analysed" if found is None else "offers no car"
        raise Permanent(f"post {post_id} {what} on the {lane} lane; run process_post for it first")
    return found


def _send_once(
    context: Context, key: str, send: Callable[[], int], keep: Callable[[Connection, int], None]
) -> tuple[int, bool]:
    """Claim `key`, send, and have the claim settled with the outcome; return (message id, whether sent before)."""
    if before := idempotency.claim(key, context.run_id, context.attempt):
        return int(before.detail["message_id"]), True
    crash_point("mid-effect")
    try:
        message_id = send()
    except OutcomeUnknown:
        raise  # the claim stays open: that is how the next attempt learns of it
    except Exception:
        idempotency.release(key, context.run_id, context.attempt)
        raise
    crash_point("after-effect")
    context.write(lambda connection: idempotency.settle(connection, key, {"message_id": message_id}))
    context.write(lambda connection: keep(connection, message_id))
    context.effect("message", key, {"message_id": message_id})
    return message_id, False

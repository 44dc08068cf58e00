"""Jobs that send to Telegram: a post to a channel, and a seller's contacts to a subscriber.

Telegram takes no idempotency key. So the job writes a claim before it sends a message (`idempotency.py`).
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from sqlalchemy import Column, select

from cars_bot import database, idempotency
from cars_bot.boundary import outside
from cars_bot.clients import telegram
from cars_bot.context import Context
from cars_bot.database.cars_models import analyses, publications, subscribers
from cars_bot.errors import Permanent
from cars_bot.processes import clock
from cars_bot.settings import settings


def _chat_for(column: Column[str]) -> AfterValidator:
    """Return a validator for a chat's name. With one spelling a chat has one budget and gets a post once."""
    longest = int(column.type.length)  # type: ignore[attr-defined]
    return AfterValidator(lambda name: outside.short_enough(outside.channel(name), longest))


ChannelName = Annotated[str, _chat_for(publications.c.channel)]
Channel = Annotated[ChannelName, BeforeValidator(lambda name: name or settings().channel)]  # default: from the settings
Subscriber = Annotated[str, _chat_for(subscribers.c.chat)]
PostId = Annotated[int, Field(ge=1, le=outside.LARGEST_ID)]
CURRENCY_SIGNS = {"RUB": "₽", "USD": "$", "EUR": "€", "KZT": "₸", "GBP": "£", "UAH": "₴", "GEL": "₾"}


def format_post(post_id: int, car: dict[str, Any], description: str) -> str:
    """Return the text of a publication: one line for each known fact, none for an unknown one."""
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


def publish_post(context: Context, post_id: PostId, channel: Channel = "") -> dict[str, Any]:
    """Format an analysed post and publish it to a channel."""
    analysis = _analysis(post_id, context.lane)
    text = format_post(post_id, analysis.car, analysis.description)
    key = f"publish:{post_id}:{channel}"

    sent, again = idempotency.once(
        context, "message", key, lambda: {"message_id": telegram.send_message(channel, text)}
    )
    if not again:
        row = {"post_id": post_id, "channel": channel, "run_id": context.run_id, "sent_at": clock.now()} | sent
        context.write(lambda connection: database.insert_if_new(connection, publications, row))
    return {"post_id": post_id, "channel": channel, "already_published": again} | sent


def send_contact_info(context: Context, post_id: PostId, subscriber: Subscriber) -> dict[str, Any]:
    """Send the seller's contacts of a post to a subscriber, if the subscription is active."""
    with database.statements() as connection:
        row = connection.execute(select(subscribers).where(subscribers.c.chat == subscriber)).one_or_none()
    if row is None or not row.active:
        raise Permanent(
            f'{subscriber!r} has no active subscription; add it to the worksheet "Subscribers" and run sync_subscribers'
        )
    car = _analysis(post_id, context.lane).car
    contacts = [*car["phones"], *([car["telegram"]] if car["telegram"] else [])]
    text = f"№ {post_id}: " + (", ".join(contacts) or "the post names no contacts")

    key = f"contacts:{post_id}:{subscriber}"
    sent, again = idempotency.once(
        context, "message", key, lambda: {"message_id": telegram.send_message(subscriber, text)}
    )
    return {"post_id": post_id, "subscriber": subscriber, "already_sent": again} | sent


def _analysis(post_id: int, lane: str) -> Any:
    with database.statements() as connection:
        wanted = select(analyses).where(analyses.c.post_id == post_id, analyses.c.lane == lane)
        found = connection.execute(wanted).one_or_none()
    if found is None or found.car is None:
        what = "has not been analysed" if found is None else "offers no car"
        raise Permanent(f"post {post_id} {what} on the {lane} lane; run process_post for it first")
    return found

"""Jobs with a language model: they classify a post, extract the car and write a description.

Every run analyses its post anew, and each lane keeps its own analysis. So all lanes do the same work. Three further
jobs do one step each, on a text.
"""

from typing import Any

from sqlalchemy import Connection, select

from cars_bot import database
from cars_bot.clients import language_model
from cars_bot.context import Context
from cars_bot.database.cars_models import analyses, posts
from cars_bot.errors import Permanent
from cars_bot.jobs.publishing import ChannelName, PostId
from cars_bot.processes import clock
from cars_bot.processes.crash import crash_point

NOTHING_SAID: dict[str, Any] = dict.fromkeys(["make", "model", "year", "mileage_km", "price", "currency", "city"]) | {
    "phones": [],
    "telegram": None,
}


def process_post(context: Context, post_id: PostId, publish_to: ChannelName | None = None) -> dict[str, Any]:
    """Classify a post, extract the car and write a description. Publish it if a channel is given."""
    with database.statements() as connection:
        text = connection.execute(select(posts.c.text).where(posts.c.id == post_id)).scalar_one_or_none()
    if text is None:
        raise Permanent(f"there is no post {post_id}; import posts first: ./kit import data/result.json")

    is_sale = bool(text.strip()) and language_model.classify(text).is_sale
    car = language_model.extract(text) if is_sale else None
    crash_point("mid-effect")
    description = language_model.describe(car, text) if car else None

    said = car.model_dump() if car else dict(NOTHING_SAID)
    row = {
        "post_id": post_id, "lane": context.lane, "run_id": context.run_id, "is_sale": is_sale,
        "car": said if car else None, "description": description, "made_at": clock.now(),
    }  # fmt: skip

    def keep(connection: Connection) -> None:
        statement = database.insert(analyses).values(row)
        connection.execute(statement.on_conflict_do_update(index_elements=["post_id", "lane"], set_=row))

    context.write(keep)
    context.effect("analysis", context.run_id, {"post_id": post_id})
    if is_sale and publish_to:
        context.next("publish_post", post_id=post_id, channel=publish_to)
    return {"post_id": post_id, "is_sale": is_sale, **said, "description": description}


def classify_post(context: Context, text: str) -> dict[str, Any]:
    """Say whether a text offers a car for sale."""
    verdict = language_model.classify(text)
    if not verdict.is_sale:
        context.stop()  # there is nothing to extract or to describe
    return {"is_sale": verdict.is_sale, "reason": verdict.reason}


def extract_data(context: Context, text: str) -> dict[str, Any]:
    """Read make, model, year, mileage, price, place and contacts out of a sale post."""
    return language_model.extract(text).model_dump()


def generate_description(context: Context, text: str) -> dict[str, Any]:
    """Write the short description that goes to the channel."""
    return {"description": language_model.describe(language_model.extract(text), text)}

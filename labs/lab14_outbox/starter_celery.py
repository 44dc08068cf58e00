"""Lab 14, The outbox. A post is a row in the database and a message in the broker, and no transaction spans the two."""

import os

from celery import Celery

from labs.lab14_outbox import book
from labs.lab14_outbox.book import add, mark_sent, unsent, writing  # noqa: F401 - what there is

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
app.conf.broker_transport_options = {"confirm_publish": True}  # delay() returns when the broker has the message


@app.task(name="publish_post")
def publish_post(post_id: str) -> None:
    """Publish a post in the channel."""
    book.publish(post_id)


# TODO 1: wherever this is killed: what is committed is sent in the end, if not from here then by the relay; what is
#         not committed is never sent.
def accept(text: str) -> str:
    """Take a post from an editor; return its id."""
    with writing("accept") as database:
        post_id = add(database, text)
    publish_post.delay(post_id)
    return post_id


# TODO 2: send what was accepted and is not sent yet, and mark it, in a transaction `writing("relay")`. This is killed,
#         too, and started again: nothing may be left out, a copy now and then does no harm.
def relay() -> int:
    """Send what waits to be sent; return how many posts that were. It is called again and again."""
    return 0

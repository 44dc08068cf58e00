"""Lab 14, The outbox. A post is a row in the database and a message in the broker. No transaction covers both."""

import os

from celery import Celery

from labs.lab14_outbox import book
from labs.lab14_outbox.book import add, mark_sent, unsent, writing

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"
app.conf.broker_transport_options = {"confirm_publish": True}  # delay() returns when the broker has the message


@app.task(name="publish_post")
def publish_post(post_id: str) -> None:
    """Publish a post in the channel."""
    book.publish(post_id)


def accept(text: str) -> str:
    """Accept a post from an editor, and return its id."""
    with writing("accept") as database:
        return add(database, text)


def relay() -> int:
    """Send the posts that wait, and return their number. This function is called again and again."""
    waiting = unsent()
    for post_id in waiting:
        publish_post.delay(post_id)
        with writing("relay") as database:
            mark_sent(database, post_id)
    return len(waiting)

"""Lab 6, Retries. The messenger is sometimes down for a while. It will never take some posts."""

import os

from celery import Celery

from experiments.messenger import Passing, Refused, post  # noqa: F401 - the messenger's two errors

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "posts"


# TODO 1: let Celery retry after a passing error (Passing), and not after a final one (Refused).
# TODO 2: begin with a pause of about a second, and lengthen it from try to try. Make it random. Retry at most 5 times.
@app.task(name="publish_post")
def publish_post(text: str) -> None:
    """Publish a post in the channel."""
    post(text)

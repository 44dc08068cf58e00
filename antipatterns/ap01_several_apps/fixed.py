"""One Celery() app: sender and worker agree on everything, because they share the same object."""

import os

from celery import Celery

from experiments.messenger import post

app = Celery("worker", broker=os.environ["BROKER_URL"])
app.conf.task_default_queue = "cars_bot"

api = app


@api.task(name="publish_post")
def publish_post(number: int) -> None:
    """Publish a post in the channel."""
    post(f"Post {number}")


if __name__ == "__main__":  # the API: six people press "publish"
    for each in range(6):
        publish_post.delay(each)

"""One message for each child: the others stay in the queue, where an idle worker finds them."""

import os

from celery import Celery

from experiments.evidence import hold

app = Celery("cars_bot", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
)


@app.task(name="process_post")
def process_post(post: int) -> int:
    """Analyse a post. The first one of the experiment is a long one."""
    if post == 1:
        hold("the long post")
    return post

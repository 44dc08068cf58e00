"""Lab 10, Prefetch and priorities."""

from tests.labs.wrong import Wrong

SEVERAL = "A busy worker takes posts in advance"
ONE = "A busy worker takes one post in advance"
IN_LINE = "The urgent post waits in line"
OVERTAKE = "Ordinary posts overtake each other"
URGENT = "priority=9 if urgent else 0"
STARTERS = {"celery": SEVERAL, "raw": SEVERAL}
WRONG = [
    Wrong("four for each child", "celery", SEVERAL, {"    worker_prefetch_multiplier=1,\n": ""}),
    Wrong("no limit", "raw", SEVERAL, {"prefetch=1": "prefetch=0"}),
    Wrong("early acknowledgement", "celery", ONE, {"    task_acks_late=True,\n": ""}),
    Wrong("a supply of one", "raw", ONE, {"prefetch=1": "prefetch=2"}),
    Wrong("a queue that cannot sort", "celery", IN_LINE, {'Queue("posts", max_priority=9)': 'Queue("posts")'}),
    Wrong("a queue that cannot sort", "raw", IN_LINE, {', arguments={"x-max-priority": 9}': ""}),
    Wrong("nobody says that it is urgent", "celery", IN_LINE, {f", {URGENT}": ""}),
    Wrong("nobody says that it is urgent", "raw", IN_LINE, {f", {URGENT}": ""}),
    Wrong("zero is first, as on Redis", "celery", IN_LINE, {URGENT: "priority=0 if urgent else 9"}),
    Wrong("everything is urgent", "celery", OVERTAKE, {URGENT: "priority=9"}),
    Wrong("everything is urgent", "raw", OVERTAKE, {URGENT: "priority=9"}),
]  # fmt: skip

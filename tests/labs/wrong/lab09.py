"""Lab 9, Poison and dead letters."""

from tests.labs.wrong import Wrong

AGAIN = "A poison message comes back again and again"
AWAY = "It throws a poison message away"
FAILED = "It throws away what failed"
UNREAD = "It throws away what it cannot read"
ACCIDENT = "One accident, and it gives up"
STARTERS = {"celery": AGAIN, "raw": AGAIN}
WRONG = [
    Wrong("a high limit", "celery", AGAIN, {'"x-delivery-limit": 2': '"x-delivery-limit": 20'}),
    Wrong("a high limit", "raw", AGAIN, {'"x-delivery-limit": 2': '"x-delivery-limit": 20'}),
    Wrong("dead letters to nowhere", "celery", AWAY, {'-key": "posts.dead"': '-key": "post.dead"'}),
    Wrong("dead letters to nowhere", "raw", AWAY, {'-key": "posts.dead"': '-key": "post.dead"'}),
    Wrong("failures are acknowledged", "celery", FAILED, {"    task_acks_on_failure_or_timeout=False,\n": ""}),
    Wrong("failures are acknowledged", "raw", FAILED, {"        delivery.reject()\n": "        delivery.ack()\n"}),
    Wrong("Celery's own consumer", "celery", UNREAD, {'    worker_consumer=f"{__name__}:CarefulConsumer",\n': ""}),
    Wrong("no JSON, no message", "raw", UNREAD,
          {"from experiments.messenger import post\n": "import json\n\nfrom experiments.messenger import post\n",
           "    except Exception as error:": "    except json.JSONDecodeError:\n        delivery.ack()\n"
                                             "    except Exception as error:"}),
    Wrong("a lost child is a failure", "celery", ACCIDENT, {"    task_reject_on_worker_lost=True,\n": ""}),
    Wrong("a second delivery is one too many", "raw", ACCIDENT,
          {"    try:\n": "    if delivery.method.redelivered:\n        delivery.reject()\n        return\n    try:\n"}),
]  # fmt: skip

"""Lab 7, Crash."""

from tests.labs.wrong import Wrong

EARLY = "It acknowledges before the work is done"
CHILD = "A killed child's job counts as done"
REDELIVERED = "It takes a second delivery for proof that the work is done"
STARTERS = {"celery": EARLY, "raw": EARLY}
WRONG = [
    Wrong("reject on lost, but early", "celery", EARLY, {"acks_late=True, ": ""}),
    Wrong("late is enough", "celery", CHILD, {", reject_on_worker_lost=True": ""}),
    Wrong(
        "redelivered means done", "celery", REDELIVERED,
        {"acks_late=True, ": "bind=True, acks_late=True, ", "def publish_post(text": "def publish_post(self, text",
         "    render(text)\n": '    if self.request.delivery_info["redelivered"]:\n        return\n    render(text)\n'},
    ),
    Wrong("early", "raw", EARLY, {"    child.start()\n": "    delivery.ack()\n    child.start()\n",
                                  "        delivery.reject(requeue=True)\n": "        pass\n",
                                  "        delivery.ack()  #": "        pass  #"}),
    Wrong("the child ended somehow", "raw", CHILD, {"delivery.reject(requeue=True)": "delivery.ack()"}),
    Wrong("rejected, but not given back", "raw", CHILD, {"requeue=True": "requeue=False"}),
    Wrong(
        "redelivered means done", "raw", REDELIVERED,
        {"    child.start()\n": "    if delivery.method.redelivered:\n        delivery.ack()\n        return\n"
                                "    child.start()\n"},
    ),
    Wrong("never", "raw", "It never acknowledges what is done", {"        delivery.ack()  #": "        pass  #"}),
]  # fmt: skip

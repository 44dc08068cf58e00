"""Lab 5, Honest status."""

from tests.labs.wrong import Wrong

TOO_LATE, FORGETS = "The message is sent before the row is there", "It forgets what became of a job"
STARTERS = dict.fromkeys(("celery", "raw"), "It calls queued what was never sent")
IN_REDIS = """class rows:
    store = __import__("redis").Redis.from_url(__import__("os").environ["REDIS_URL"], decode_responses=True)
    accept = classmethod(lambda cls, post_id, text: cls.store.set(post_id, "queued"))
    change = classmethod(lambda cls, post_id, status: cls.store.set(post_id, status))
    status_of = classmethod(lambda cls, post_id: cls.store.get(post_id))
"""
AS_CELERY_HAS_IT = """    names = {"PENDING": "queued", "STARTED": "running", "SUCCESS": "done", "FAILURE": "failed"}
    return names[app.AsyncResult(post_id).state] if rows.status_of(post_id) else "unknown"
"""
WRONG = [
    Wrong(
        "the row after the message", "celery", TOO_LATE,
        {"    rows.accept(post_id, text)\n    publish_post.apply_async((text,), task_id=post_id)\n":
         "    publish_post.apply_async((text,), task_id=post_id)\n    rows.accept(post_id, text)\n"},
    ),
    Wrong(
        "a row, and Celery's results", "celery", FORGETS,
        {'broker=os.environ["BROKER_URL"])\n':
         'broker=os.environ["BROKER_URL"], backend=os.environ["REDIS_URL"])\napp.conf.task_track_started = True\n',
         '    return rows.status_of(post_id) or "unknown"\n': AS_CELERY_HAS_IT},
    ),
    Wrong("only ends are told", "celery", "It does not say that a job runs",
          {'    rows.change(self.request.id, "running")\n': ""}),
    Wrong(
        "done means over", "celery", "It does not say that a job failed",
        {'rows.change(self.request.id, "failed")': 'rows.change(self.request.id, "done")'},
    ),
    Wrong(
        "the row after the message", "raw", TOO_LATE,
        {"    rows.accept(post_id, text)\n    send(post_id, text)\n":
         "    send(post_id, text)\n    rows.accept(post_id, text)\n"},
    ),
    Wrong("rows that expire", "raw", FORGETS, {"from labs.lab05_honest_status import rows\n": IN_REDIS}),
    Wrong("a failure is only printed", "raw", "It does not say that a job failed",
          {'        rows.change(delivery.id, "failed")\n': ""}),
    Wrong("what is not known is queued", "raw", "It calls queued what was never sent", {'"unknown"\n': '"queued"\n'}),
]  # fmt: skip

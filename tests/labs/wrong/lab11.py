"""Lab 11, Timeouts."""

from tests.labs.wrong import Wrong

STARTERS = {"celery": "It waits for an answer that never comes", "raw": "It waits for an answer that never comes"}
WRONG = [
    Wrong(
        "a timeout of each read only", "celery", "A reply that trickles in holds the worker",
        {"soft_time_limit=2, time_limit=3": ""},
    ),
    Wrong(
        "limits on a pool that ignores them", "celery", "A reply that trickles in holds the worker",
        {'app.conf.task_default_queue = "posts"\n':
         'app.conf.task_default_queue = "posts"\napp.conf.worker_pool = "threads"\n'},
    ),
    Wrong(
        "no answer is a failure", "celery", "It claims to know what it cannot know",
        {'"unknown"  # they may have published it before they fell silent': '"failed"'},
    ),
    Wrong(
        "a hard limit alone", "celery", "Nobody learns what became of a post",
        {"soft_time_limit=2, time_limit=3": "time_limit=2"},
    ),
    Wrong(
        "try again what got no answer", "celery", "It publishes again what may be out already",
        {'        outcome = "unknown"  # they may have published it before they fell silent\n':
         '        outcome = "unknown"\n        publish_post.delay(text)\n'},
    ),
    Wrong("a timeout of each read only", "raw", "A reply that trickles in holds the worker",
          {"child.join(LIMIT)": "child.join()"}),
    Wrong("a killed child has failed", "raw", "It claims to know what it cannot know",
          {'.get(child.exitcode, "unknown")': '.get(child.exitcode, "failed")'}),
    Wrong(
        "give it back when the time is over", "raw", "It publishes again what may be out already",
        {"    record(text, outcome)\n    delivery.ack()\n":
         '    record(text, outcome)\n    if outcome == "unknown":\n        delivery.reject(requeue=True)\n'
         "    else:\n        delivery.ack()\n"},
    ),
]  # fmt: skip

"""Lab 12, Rate limits."""

from tests.labs.wrong import Wrong

STARTERS = {"celery": "Nobody counts for both workers", "raw": "Nobody counts for both workers"}
SLIDING = (
    '    return any(redis.set(f"posting:{place}", "taken", nx=True, px=SECONDS * 1000) for place in range(POSTS))\n'
)
ALIGNED = (
    "    import time\n\n    window = int(time.time()) // SECONDS\n"
    '    return int(redis.incr(f"posting:{window}")) <= POSTS\n'
)
FROM_THE_FIRST = (
    '    count = int(redis.incr("posting"))\n    if count == 1:\n        redis.expire("posting", SECONDS)\n'
    "    return count <= POSTS\n"
)
EDGES, LOST, HELD = (
    "Where two windows meet, twice as many pass",
    "A post that has to wait is lost",
    "Who waits for the limit holds the others up",
)
LATER = "        delivery.reject()  # to posts.wait, and from there back\n"
IN_HAND = "        import time\n\n        while not may_post():\n            time.sleep(0.05)\n"
WRONG = [
    Wrong("a counter for every two seconds", "celery", EDGES, {SLIDING: ALIGNED}),
    Wrong("a counter that expires", "raw", EDGES, {SLIDING: FROM_THE_FIRST}),
    Wrong("no limit", "raw", "Nobody counts for both workers", {SLIDING: "    return True\n"}),
    Wrong("three retries are the default", "celery", LOST, {", max_retries=None": ""}),
    Wrong("leave out what is too much", "raw", LOST, {LATER: "        delivery.ack()\n"}),
    Wrong(
        "wait with the post in hand", "celery", HELD,
        {"        raise self.retry(countdown=PAUSE)\n": IN_HAND},
    ),
    Wrong(
        "wait with the post in hand", "raw", HELD,
        {LATER + "        return\n": IN_HAND},
    ),
    Wrong("back to the head of the queue", "raw", HELD, {LATER: "        delivery.reject(requeue=True)\n"}),
]  # fmt: skip

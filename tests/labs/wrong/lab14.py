"""Lab 14, The outbox."""

from tests.labs.wrong import Wrong

STARTERS = {"celery": "A post is accepted and never sent", "raw": "A post is accepted and never sent"}
BEFORE, GAP, AGAIN = (
    "It sends what is not committed",
    "It marks as sent what the broker does not have",
    "It sends again what was sent",
)
SENDS = {"celery": "publish_post.delay(post_id)", "raw": "send(post_id)"}
MARKS = '        with writing("relay") as database:\n            mark_sent(database, post_id)\n'


def typical(lane: str) -> list[Wrong]:
    """What is done on both lanes."""
    send = f"        {SENDS[lane]}\n"
    return [
        Wrong(
            "send inside of the transaction", lane, BEFORE,
            {"        return add(database, text)\n":
             f"        post_id = add(database, text)\n{send}        return post_id\n"},
        ),
        Wrong("mark, then send", lane, GAP, {send + MARKS: MARKS + send}),
        Wrong("send and never mark", lane, AGAIN, {MARKS: ""}),
    ]  # fmt: skip


WRONG = [*typical("celery"), *typical("raw")]

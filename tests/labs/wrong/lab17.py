"""Lab 17, Workflows."""

from tests.labs.wrong import Wrong

STARTERS = {"celery": "A job waits for another job", "raw": "It begins again from the start"}
LOST = "A step is lost with its worker"
CHAIN = """    parts = group(extract_price.si(text), extract_mileage.si(text))
    chain(classify_post.si(text), parts, describe_post.s(text)).delay()
"""
ALL_IN_ONE = """    classify(text)
    describe(text, {part: extract(part, text) for part in PARTS})
"""
JOIN = """    if known == len(PARTS):
        pass_on(delivery, "describe_post", text=text)
    delivery.ack()


def describe_post"""
ACK_FIRST = """    delivery.ack()
    if known == len(PARTS):
        pass_on(delivery, "describe_post", text=text)


def describe_post"""
INSERT = '        parts.execute("INSERT OR IGNORE INTO parts VALUES (?, ?, ?)", [text, part, value])\n'
WRONG = [
    Wrong("wait for each step", "celery", "A job waits for another job",
          {CHAIN: "    classify_post.delay(text).get(disable_sync_subtasks=False)\n" + CHAIN}),
    Wrong("all steps in one job", "celery", "It begins again from the start", {CHAIN: ALL_IN_ONE}),
    Wrong("acknowledged at the beginning", "celery", LOST, {"app.conf.task_acks_late = True\n": ""}),
    Wrong("results by rpc", "celery", "The workflow cannot be sent",
          {'backend=os.environ["REDIS_URL"]': 'backend="rpc://"'}),
    Wrong("messages are counted", "raw", "The join counts a copy", {", PRIMARY KEY (text, part)": ""}),
    Wrong("acknowledged before the next step", "raw", LOST, {JOIN: ACK_FIRST}),
    Wrong("only who adds the last part joins", "raw", LOST,
          {INSERT: "        new = " + INSERT.strip() + ".rowcount\n", "if known ==": "if new and known =="}),
    Wrong("a part is enough", "raw", "It joins before all parts are there", {"known == len(PARTS)": "known"}),
]  # fmt: skip

"""Lab 8, Idempotency."""

from tests.labs.wrong import Wrong

COPY = "A copy of the message is charged again"
CLAIM = 'CLAIM = "INSERT OR IGNORE INTO charges (subscriber, month) VALUES (?, ?)"\n'
CLAIMED = "if database.execute(CLAIM, [subscriber, month]).rowcount:"
IMPORTS = "import send_receipt, take_payment, transaction"
WITH_QUESTION = {IMPORTS: "import has_paid, send_receipt, take_payment, transaction"}
WHOLE = f"""\
    with transaction() as database:
        {CLAIMED}
            take_payment(database, subscriber)
    send_receipt(subscriber, month)
"""
IN_MEMORY = {
    CLAIM: "PAID: set[tuple[int, str]] = set()\n",
    CLAIMED: "if (subscriber, month) not in PAID:\n            PAID.add((subscriber, month))",
}
CHECK_THEN_ACT = WITH_QUESTION | {WHOLE: """\
    if not has_paid(subscriber, month):
        with transaction() as database:
            take_payment(database, subscriber)
            database.execute(CLAIM, [subscriber, month])
    send_receipt(subscriber, month)
"""}  # fmt: skip
CLAIM_FIRST = {WHOLE: """\
    with transaction() as database:
        claimed = database.execute(CLAIM, [subscriber, month]).rowcount
    if claimed:
        with transaction() as database:
            take_payment(database, subscriber)
    send_receipt(subscriber, month)
"""}  # fmt: skip
CLAIM_LAST = WITH_QUESTION | {WHOLE: """\
    if not has_paid(subscriber, month):
        with transaction() as database:
            take_payment(database, subscriber)
    send_receipt(subscriber, month)
    with transaction() as database:
        database.execute(CLAIM, [subscriber, month])
"""}  # fmt: skip

STARTERS = {"celery": COPY, "raw": COPY}
WRONG = [
    Wrong("a new key for each run", "celery", COPY,
          {"import os\n": "import os\nimport uuid\n", "[subscriber, month]": "[subscriber, str(uuid.uuid4())]"}),
    Wrong("the delivery as a key", "raw", COPY, {"[subscriber, month]": "[subscriber, delivery.method.delivery_tag]"}),
    Wrong("the message as a key", "celery", "The same order in another message is charged again",
          {"[subscriber, month]": "[subscriber, app.current_task.request.id]"}),
    Wrong("the message as a key", "raw", "The same order in another message is charged again",
          {"[subscriber, month]": "[subscriber, delivery.id]"}),
    Wrong("the subscriber as a key", "raw", "Another month is taken for a copy",
          {"[subscriber, month]": '[subscriber, "any"]'}),
    Wrong("a set in memory", "celery", "It forgets with its process what is done", IN_MEMORY),
    Wrong("a set in memory", "raw", "It forgets with its process what is done", IN_MEMORY),
    Wrong("claim, commit, pay", "celery", "It notes as paid what is not paid yet", CLAIM_FIRST),
    Wrong("claim, commit, pay", "raw", "It notes as paid what is not paid yet", CLAIM_FIRST),
    Wrong("note it when all is done", "celery", "It notes too late that it is paid", CLAIM_LAST),
    Wrong("note it when all is done", "raw", "It notes too late that it is paid", CLAIM_LAST),
    Wrong("check, then act", "celery", "Copies at the same moment are both charged", CHECK_THEN_ACT),
    Wrong("check, then act", "raw", "Copies at the same moment are both charged", CHECK_THEN_ACT),
]  # fmt: skip

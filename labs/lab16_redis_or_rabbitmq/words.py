"""Words: the questions to each broker, and the possible answers."""

BROKERS = ("rabbitmq", "redis")
EARLY, LATE, PRIORITY, LONG, ALONE, NOWHERE = (
    "killed, early ack", "killed, late ack", "priority 9 among 0", "longer than the visibility timeout",
    "killed, nobody else there", "a queue that is not there",
)  # fmt: skip

LOST = "it is lost"
NEXT = "the next worker does it"
ASIDE = "it is kept aside: no worker gets it by itself"
QUEUE = "it is in the queue"
ONCE = "it is begun once"
TWICE = "it is begun twice"
FIRST = "it comes first"
LAST = "it comes last"

Answers = dict[str, str]  # by question

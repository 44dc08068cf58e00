"""Lab 16, Redis or RabbitMQ."""

from tests.labs.wrong import Wrong

NOTICES = "It expects Redis to notice that a worker died"
STARTERS = {"celery": NOTICES, "raw": "A killed worker's job is lost on Redis"}
FOUND = '        print("found a message that this worker left behind")\n'
WRONG = [
    Wrong("higher is first, everywhere", "celery", "It has priorities upside down on Redis",
          {'"redis": LAST': '"redis": FIRST'}),
    Wrong("at least once, always", "celery", "It expects an acknowledged job to come back",
          {'"killed, early ack": {"rabbitmq": LOST': '"killed, early ack": {"rabbitmq": NEXT'}),
    Wrong("late ack is late ack", "celery", NOTICES, {'"redis": ASIDE': '"redis": NEXT'}),
    Wrong("a job is begun once", "celery", "It forgets the visibility timeout", {'"redis": TWICE': '"redis": ONCE'}),
    Wrong("both have a visibility timeout", "celery", "It sees a visibility timeout where there is none",
          {'"rabbitmq": ONCE': '"rabbitmq": TWICE'}),
    Wrong("out of the list before the work", "raw", "A killed worker's job is lost on Redis",
          {'        effect(json.loads(body)["text"])\n        client.lrem(mine, 1, body)\n':
           '        client.lrem(mine, 1, body)\n        effect(json.loads(body)["text"])\n'}),
    Wrong("aside, and never looked for", "raw", "A killed worker's job is lost on Redis",
          {'    while client.lmove(mine, "posts", src="LEFT", dest="RIGHT"):\n' + FOUND: ""}),
    Wrong("one list for all workers", "raw", "A worker that starts takes the job of one that is alive",
          {"f\"posts.at-work.{os.environ['WORKER']}\"": '"posts.at-work"'}),
    Wrong("never taken out", "raw", "What is done stays in Redis and will be done again",
          {"        client.lrem(mine, 1, body)\n": ""}),
    Wrong("the broker gives it back", "raw", NOTICES, {'"redis": ASIDE': '"redis": QUEUE'}),
]  # fmt: skip

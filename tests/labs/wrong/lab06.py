"""Lab 6, Retries."""

from tests.labs.wrong import Wrong

STARTERS = {"celery": "It does not try again what may pass", "raw": "It asks again at once"}
ASLEEP = "A post that waits keeps a worker busy"
WRONG = [
    Wrong(
        "retry on everything", "celery", "It retries what can never succeed",
        {"autoretry_for=(Passing,)": "autoretry_for=(Exception,)"},
    ),
    Wrong(
        "a fixed pause", "celery", "It waits equally long each time",
        {"retry_backoff=1, retry_jitter=True": "default_retry_delay=1"},
    ),
    Wrong("no jitter", "celery", "All posts come back at the same moment", {"retry_jitter=True": "retry_jitter=False"}),
    Wrong(
        "back into the queue", "raw", "It asks again at once",
        {"        try_later(delivery)\n": "        delivery.reject(requeue=True)\n        return\n"},
    ),
    Wrong("too few tries", "raw", "It does not try again what may pass", {"RETRIES = 5": "RETRIES = 2"}),
    Wrong(
        "too few tries", "celery", "It does not try again what may pass",
        {"max_retries=5": "max_retries=1"},
    ),
    Wrong(
        "sleep in the worker", "celery", ASLEEP,
        {"import os\n": "import os\nimport random\nimport time\n",
         ", autoretry_for=(Passing,), retry_backoff=1, retry_jitter=True, max_retries=5": "",
         "    post(text)\n": """\
    for retry in range(5):
        try:
            return post(text)
        except Passing:
            time.sleep(random.uniform(0.5, 1.0) * 2**retry)
    return post(text)
"""},
    ),
    Wrong(
        "sleep in the worker", "raw", ASLEEP,
        {"import random\n": "import random\nimport time\n", "        try_later(delivery)\n": """\
        for retry in range(RETRIES):
            time.sleep(random.uniform(0.5, 1.0) * 2**retry)
            try:
                post(delivery.arguments["text"])
            except Passing:
                continue
            break
"""},
    ),
    Wrong(
        "retry on everything", "raw", "It retries what can never succeed",
        {"    except Refused as error:\n        print(f\"given up: {error}\")  # lab 9 keeps such messages\n":
         "    except Refused:\n        try_later(delivery)\n"},
    ),
]  # fmt: skip

"""Lab 4, Registration."""

from tests.labs.wrong import Wrong

NOWHERE, UNKNOWN = "The page sends to where no worker listens", "The worker does not know a job that exists"
THROWN, AGAIN = "A job that nobody knows is thrown away", "It takes an unknown job again and again"
STARTERS = dict.fromkeys(("celery", "raw"), NOWHERE)
WRONG = [
    Wrong(
        "an app of the page's own", "celery", NOWHERE,
        {"app.send_task(": 'Celery("page", broker=os.environ["BROKER_URL"]).send_task('},
    ),
    Wrong("forget a module", "celery", UNKNOWN, {'"publishing", "billing", "sheets"': '"publishing", "billing"'}),
    Wrong(
        "autodiscover finds everything", "celery", UNKNOWN,
        {", include=TASKS": "", 'task_default_queue = "posts"\n':
         'task_default_queue = "posts"\napp.autodiscover_tasks(["labs.lab04_registration.tasks"])\n'},
    ),
    Wrong("no dead letters", "celery", THROWN, {", queue_arguments=TO_THE_DEAD": ""}),
    Wrong("a slip in the key", "raw", NOWHERE, {'basic_publish("", "posts"': 'basic_publish("", "post"'}),
    Wrong("forget a job", "raw", UNKNOWN, {", work.sync_sheet": ""}),
    Wrong("acknowledge what is unknown", "raw", THROWN, {"delivery.reject()": "delivery.ack()"}),
    Wrong("back into the queue", "raw", AGAIN, {"delivery.reject()": "delivery.reject(requeue=True)"}),
]  # fmt: skip

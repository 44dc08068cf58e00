"""Lab 13, Beat and delays."""

from tests.labs.wrong import Wrong

STARTERS = {"celery": "Every scheduler ticks", "raw": "Every scheduler ticks"}
ENDS, ITSELF, LOST = (
    "The schedule ends with its scheduler",
    "The scheduler does the work itself",
    "What waits is lost with its worker",
)
FOR_EVER = 'redis.set("leader", os.getpid(), nx=True) or redis.get("leader") == str(os.getpid()).encode()'
WRONG = [
    Wrong(
        "a lock that never expires", "celery", ENDS,
        {'redis.set(f"{entry.name}:{second}", "taken", nx=True, ex=60)': FOR_EVER},
    ),
    Wrong(
        "Beat does the work", "celery", ITSELF,
        {'    task_default_queue="posts",\n': '    task_default_queue="posts",\n    task_always_eager=True,\n'},
    ),
    Wrong(
        "sleep in the task", "celery", LOST,
        {"    post(text)\n": "    time.sleep(seconds)\n    post(text)\n",
         "def publish_post(text: str)": "def publish_post(text: str, seconds: int)",
         "publish_post.apply_async((text,), countdown=seconds)": "publish_post.delay(text, seconds)"},
    ),
    Wrong(
        "sleep in the task and acknowledge late", "celery", "After a crash it begins to wait anew",
        {"    post(text)\n": "    time.sleep(seconds)\n    post(text)\n",
         '@app.task(name="publish_post")': '@app.task(name="publish_post", acks_late=True)',
         "def publish_post(text: str)": "def publish_post(text: str, seconds: int)",
         "publish_post.apply_async((text,), countdown=seconds)": "publish_post.delay(text, seconds)"},
    ),
    Wrong("forget the delay", "celery", "It does not wait", {", countdown=seconds": ""}),
    Wrong(
        "a lock that never expires", "raw", ENDS,
        {'redis.set(f"sync_sheet:{second}", "taken", nx=True, ex=60)': FOR_EVER},
    ),
    Wrong(
        "the scheduler does the work", "raw", ITSELF,
        {'channel.basic_publish("", "posts", b"{}", BasicProperties(type="sync_sheet", delivery_mode=2))':
         "write_sheet()"},
    ),
    Wrong(
        "a timer in the worker", "raw", LOST,
        {'    post(delivery.arguments["text"])\n':
         "    import threading\n\n    threading.Timer(2, post, [delivery.arguments[\"text\"]]).start()\n",
         'channel.basic_publish("", waits, body': 'channel.basic_publish("", "posts", body'},
    ),
]  # fmt: skip

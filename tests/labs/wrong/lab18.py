"""Lab 18, Celery in Django."""

from tests.labs.wrong import Wrong

UNKNOWN = "The worker does not know the app's jobs"
KEPT = "It keeps a database connection for ever"
STARTERS = {"celery": UNKNOWN, "raw": UNKNOWN}
SETTINGS = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")\n'
WRONG = [
    Wrong("settings without their prefix", "celery", "Django's settings do not reach the worker",
          {', namespace="CELERY"': ""}),
    Wrong("the folder is not the app", "celery", UNKNOWN, {"autodiscover_tasks()": 'autodiscover_tasks(["apps"])'}),
    Wrong("Django's name after the app", "celery", UNKNOWN,
          {SETTINGS: "", 'app = Celery("config")\n': 'app = Celery("config")\n' + SETTINGS}),
    Wrong("the other lane's modules", "raw", UNKNOWN,
          {'autodiscover_modules("jobs")': 'autodiscover_modules("tasks")'}),
    Wrong("connections as they come", "raw", KEPT,
          {"    close_old_connections()\n    try:\n        job(**delivery.arguments)\n    finally:\n"
           "        close_old_connections()\n": "    job(**delivery.arguments)\n"}),
    Wrong("closed in the wrong thread", "raw", KEPT,
          {"    close_old_connections()\n    try:\n        job(**delivery.arguments)\n    finally:\n"
           "        close_old_connections()\n": "    job(**delivery.arguments)\n",
           '        consume("posts", work)\n': '        close_old_connections()\n        consume("posts", work)\n'}),
]  # fmt: skip

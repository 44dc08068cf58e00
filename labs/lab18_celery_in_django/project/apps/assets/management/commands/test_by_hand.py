"""python manage.py test_by_hand [--async] [--message TEXT] [--example]"""

from argparse import ArgumentParser
from typing import Any

from config.by_hand import send
from django.core.management.base import BaseCommand

from apps.assets.jobs import example_async_task, test_task

NAME, COUNT = "Car", 3  # of the example


class Command(BaseCommand):
    """Command that tries a job here, or with --async in a worker."""

    help = "Try a job here, or with --async through a consumer by hand"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define the command line."""
        parser.add_argument("--async", action="store_true", dest="elsewhere", help="have a worker do it")
        parser.add_argument("--message", default="Hello from a consumer by hand")
        parser.add_argument("--example", action="store_true", help="the job with more arguments")

    def handle(self, *_: Any, message: str, elsewhere: bool, example: bool, **__: Any) -> None:
        """Do the job here or send it."""
        if elsewhere:
            sent = send("example_async_task", name=NAME, count=COUNT) if example else send("test_task", message=message)
            self.stdout.write(f"sent, id {sent}; look into the worker's log")
        else:
            done = example_async_task(NAME, COUNT) if example else test_task(message)
            self.stdout.write(f"done here: {done}")

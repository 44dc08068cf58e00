"""Jobs for the fault suite. Every kit of the suite learns of them through `EXTRA_JOBS`."""

import ctypes
import os
import time
import uuid
from pathlib import Path
from typing import Any

from cars_bot import idempotency
from cars_bot.catalogue import QUEUES, Job
from cars_bot.clients import telegram
from cars_bot.context import Context, Step
from cars_bot.database.cars_models import channels
from cars_bot.errors import Permanent, Retryable
from cars_bot.policy import Policy

QUICK = Policy(max_retries=2, backoff_base=0.2, backoff_max=1.0)


def announce(context: Context, chat: str, text: str) -> dict[str, int]:
    """Post a text once. The effect is outside our database, and the service takes no idempotency key."""
    sent, _ = idempotency.once(
        context, "message", f"announce:{chat}:{text}", lambda: {"message_id": telegram.send_message(chat, text)}
    )
    return {"message_id": sent["message_id"]}


def wait_then_work(context: Context, seconds: float = 1.0) -> None:
    """Fail the first attempt in a way that may pass; work a moment at the second."""
    if context.attempt == 1:
        raise Retryable("not yet")
    time.sleep(seconds)
    context.effect("test", context.run_id)


def say_where(context: Context, path: str, seconds: float) -> None:
    """Write down the process id, then work for a while."""
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    context.effect("test", context.run_id)


def hold_the_lock(context: Context, path: str, seconds: int) -> None:
    """Work in C and hold Python's lock meanwhile, as a hopeless regular expression does. No other thread can run."""
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")
    ctypes.PyDLL(None).sleep(seconds)
    context.effect("test", context.run_id)


def come_to_what_is_refused(context: Context, kind: str) -> object:
    """Produce an outcome that the database always refuses."""
    row = {"username": "u", "title": "t", "active": True, "synced_at": 1.0}
    bad: dict[str, Any] = {
        "too long": {"title": "x" * 300},
        "a NUL": {"title": "a\0b"},
        "half an emoji": {"title": "\ud83d"},
        "a number of 400 digits": {"synced_at": 10**400},
        "null": {"active": None},
    }
    if kind in bad:
        context.write(lambda connection: connection.execute(channels.insert(), row | bad[kind]))
    elif kind == "an error with half an emoji":
        raise Permanent("\ud83d and \0")
    elif kind == "the next run's arguments":
        context.next("process_task", task_num="none")
    elif kind == "a priority out of range":
        context.steps = [Step("process_task", str(uuid.uuid4()), 10**6)]
    elif kind == "a step that has ended":
        context.steps = [Step("come_to_what_is_refused", context.run_id)]
    return None


JOBS = [
    Job(f.__name__, f, QUEUES["default"], QUICK)
    for f in (announce, wait_then_work, say_where, hold_the_lock, come_to_what_is_refused)
]

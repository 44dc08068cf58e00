"""Jobs for the fault suite. Every kit of its own learns of them through `EXTRA_JOBS`."""

import os
import time
from pathlib import Path

from cars_bot import idempotency
from cars_bot.catalogue import QUEUES, Job, Policy
from cars_bot.clients import telegram
from cars_bot.context import Context
from cars_bot.errors import Retryable

QUICK = Policy(max_retries=2, backoff_base=0.2, backoff_max=1.0)


def announce(context: Context, chat: str, text: str) -> dict[str, int]:
    """Post a text once: an effect outside our database that takes no idempotency key."""
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
    """Write down the process that is at it, then work for a while."""
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)
    context.effect("test", context.run_id)


JOBS = [Job(f.__name__, f, QUEUES["default"], QUICK) for f in (announce, wait_then_work, say_where)]

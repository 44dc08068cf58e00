"""Celery worker as a process: its run store, its lease, and the end of its children."""

import ctypes
import signal
import sys
from typing import Any

from celery import bootsteps
from celery.signals import worker_init, worker_process_init, worker_ready
from celery.worker import state

from cars_bot import clients
from cars_bot.errors import NotConfigured
from cars_bot.processes import heartbeat, names
from cars_bot.run_store import over_http
from cars_bot.run_store.in_database import DATABASE_STORE
from cars_bot.run_store.protocol import RunStore
from cars_bot.settings import settings

PR_SET_PDEATHSIG = 1  # prctl(2)
RECEIVED_AT = "received_at"  # a header that the worker adds: the message's arrival, in seconds since 1970

store: RunStore = DATABASE_STORE  # where this worker records its attempts


class ReportsOverHttp(bootsteps.Step):
    """With `--report-to URL`, this worker reports to that address, because it cannot reach the database."""

    def __init__(self, worker: Any, report_to: str | None = None, **_: Any) -> None:
        if report_to:
            global store
            try:
                store = over_http.report_to(report_to)
            except NotConfigured as error:
                raise SystemExit(str(error)) from error
            for each in worker.app.tasks.values():
                each.ignore_result = True  # it cannot reach Redis either, which has the results


@worker_init.connect
def share_libraries(**_: Any) -> None:
    """Import the libraries of the jobs before the children are forked, so that the children need not import them."""
    clients.preload("celery")
    names.family()  # the children keep this process's family name


@worker_ready.connect
def show_that_we_live(sender: Any, **_: Any) -> None:
    """Renew the worker's lease from now on, with the list of the messages that it holds."""
    if store is not DATABASE_STORE:
        return
    name = settings().worker_name or sender.hostname
    queues = [queue.name for queue in sender.task_consumer.queues] if sender.task_consumer else []
    heartbeat.Heartbeat(name, "celery", queues, _held).start()


def _held() -> list[str]:
    """Return the ids of the tasks that this worker has received and not begun."""
    while True:
        try:
            received = {*state.reserved_requests, *state.scheduled_requests}
            return [request.id for request in received - set(state.active_requests)]
        except RuntimeError:  # a message came during the look
            continue


@worker_process_init.connect
def end_with_the_parent(**_: Any) -> None:
    """Let the kernel kill this child when its parent is gone. Without a parent, its limits would not be enforced."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

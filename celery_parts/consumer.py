"""Consumer of the Celery worker: a message that is not one of our tasks becomes a dead letter and does no harm.

Celery trusts each sender. It acknowledges a message that it cannot decode, and so loses it. It ends if headers, body or
properties have the wrong shape. Then the broker gives the message to the next worker, which ends too. It also
decompresses a body of any size. Three places repair that, in this order:

    py-amqp reads the frame          a frame that it cannot read is marked (`mended_kombu.py`)
    kombu makes a message of it      no body is decompressed, because the kit compresses none (`mended_kombu.py`)
    Celery receives the message      `message_check.py` checks all that Celery trusts unchecked

Only a worker imports this module.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from time import sleep
from typing import Any

from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown
from kombu import Connection

from cars_bot import database
from cars_bot.boundary.log_lines import escaped
from cars_bot.errors import NotConfigured, StorageUnavailable
from cars_bot.processes import clock, heartbeat
from cars_bot.run_store.ending import put_aside
from cars_bot.settings import settings
from celery_parts.broker import reserve
from celery_parts.message_check import RUN_ID_LENGTH, why_no_task
from celery_parts.worker import RECEIVED_AT

log = logging.getLogger(__name__)

SECONDS_BETWEEN_TRIES = 5.0


# feature: JSON only, validated
class CarefulConsumer(Consumer):
    """Celery's consumer, but no message can end it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """See `Consumer`. Workers do not listen to each other, because anybody could send such messages."""
        super().__init__(*args, **options | {"without_gossip": True, "without_mingle": True})

    def connect(self) -> Connection:
        """See `Consumer`. While the queues belong to another kit, a worker waits and takes nothing."""
        connection = super().connect()
        while True:
            try:
                with heartbeat.between_forks():
                    reserve(connection)
            except (NotConfigured, StorageUnavailable) as error:
                log.error("%s", error)
                maybe_shutdown()  # it raises the error that ends the worker, if somebody has asked for that
                sleep(SECONDS_BETWEEN_TRIES)
            else:
                return connection
            finally:
                database.close()  # children are forked later and must not inherit a connection

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """See `Consumer`."""
        self._put_aside(message, f"it cannot be decoded: {exc}")

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """See `Consumer`. The API may know jobs that this worker does not (EXTRA_JOBS)."""
        self._put_aside(message, f"this worker knows no job {str(message.headers.get('task'))[:64]!r}")

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """See `Consumer`."""
        self._put_aside(message, "it names no task")

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """See `Consumer`."""
        self._put_aside(message, str(exc))

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """See `Consumer`."""
        handle = super().create_task_handler(*args, **kwargs)
        passed_on = (*self.connection_errors, *self.channel_errors)  # Celery makes a new connection after these

        def on_task_received(message: Any) -> None:
            if why := why_no_task(message):
                return self._put_aside(message, why)
            go_by_the_shared_clock(message)
            message.headers[RECEIVED_AT] = clock.now()  # the child gets all headers
            try:
                handle(message)
            except passed_on:
                raise
            except Exception as error:  # a header that Celery cannot use, and that our check does not know
                log.exception("Celery cannot take a message in")
                self._put_aside(message, f"Celery cannot take it in: {error!r}")

        return on_task_received

    def _put_aside(self, message: Any, why: str) -> None:
        """Make a dead letter of a message (on Redis it is gone). End its run if the run waits for this message."""
        why = escaped(why)[:500]
        headers = message.headers if isinstance(getattr(message, "headers", None), dict) else {}
        run_id = headers.get("id")
        log.error("message %s is put aside: %s", str(run_id)[:RUN_ID_LENGTH], why)
        if _needs_no_ack(message) or message.acknowledged:
            return
        with heartbeat.between_forks():
            put_aside(run_id, "celery", why, str(settings().worker_name or self.hostname))
        message.reject_log_error(log, self.connection_errors)


def _needs_no_ack(message: Any) -> bool:
    """Return whether a message needs no ack, as a remote-control command. A reject would close the channel."""
    consumers = getattr(message.channel, "no_ack_consumers", None) or ()
    return (message.delivery_info or {}).get("consumer_tag") in consumers


# end
# feature: countdown/ETA
def go_by_the_shared_clock(message: Any) -> None:
    """Convert the ETA of a task to this machine's clock, because Celery uses only that clock."""
    eta, ahead = message.headers.get("eta"), clock.ahead()
    if eta and ahead:
        with suppress(ValueError, TypeError, OverflowError):  # Celery reports a wrong value
            message.headers["eta"] = (datetime.fromisoformat(eta) + timedelta(seconds=ahead)).isoformat()


# end

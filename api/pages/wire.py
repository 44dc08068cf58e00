"""On the wire: the message of a run on each lane, sorted by purpose, with the meaning of each field.

The meanings follow AMQP 0-9-1 (section 1.8), Celery's message protocol 2, and `raw_consumer/envelope.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from api.comparing import wire_tap
from cars_bot.comparisons import messages, record, rows
from cars_bot.comparisons.messages import Message
from cars_bot.runs import Run

# A purpose, and the fields that serve it: where a field stands and its name -> its meaning.
PURPOSES: dict[str, dict[str, str]] = {
    "Way": {
        "exchange": "The broker's sorting office. The publisher names it.",
        "routing_key": "The exchange compares this key with its bindings and so finds the queue.",
    },
    "Which run": {
        "message_id": "The run's id.",
        "correlation_id": "The task's id once more: a reply would carry it too.",
        "headers.id": "The task's id. The kit uses the run's id.",
        "headers.root_id": "The first task of the workflow.",
        "headers.parent_id": "The task that sent this one.",
    },
    "Which job": {
        "type": "The job's name.",
        "headers.task": "The task's name. The worker looks for a function of that name.",
        "headers.lang": "The language in which the sender was written.",
    },
    "Arguments": {
        "body": "The data of the job.",
        "headers.argsrepr": "The arguments as text, for logs and monitors. No worker reads them.",
        "headers.kwargsrepr": "The arguments by name as text, for logs and monitors.",
    },
    "Format": {
        "content_type": "The kind of the body. Both lanes accept JSON only, because a pickle carries code.",
        "content_encoding": "The encoding of the body's text.",
        "headers.compression": "The packing of the body, if it was packed.",
    },
    "Life in the broker": {
        "delivery_mode": "2: the broker writes the message to disk, so it survives a restart.",
        "priority": "A higher number leaves the queue first.",
        "expiration": "Milliseconds after which the broker drops the message.",
    },
    "Time": {
        "timestamp": "The second at which the run was accepted.",
        "headers.eta": "The worker holds the message until then.",
        "headers.expires": "After this moment the worker does not begin the task.",
        "headers.timelimit": "The hard and the soft time limit in seconds; null: the task's own limits.",
    },
    "Retries": {
        "headers.retries": "The retries so far. A retry is a new message with the next number.",
        "headers.x-death": "The broker's own note: the queue in which the message waited for its retry.",
        "headers.x-first-death-exchange": "The first exchange of the wait.",
        "headers.x-first-death-queue": "The first queue of the wait.",
        "headers.x-first-death-reason": "The reason for leaving that queue.",
        "headers.x-last-death-exchange": "The last exchange of the wait.",
        "headers.x-last-death-queue": "The last queue of the wait.",
        "headers.x-last-death-reason": "The reason for leaving that queue.",
    },
    "Next steps": {
        "headers.steps": "The steps of the workflow that follow, with their run ids.",
        "headers.group": "The group that the task belongs to.",
        "headers.group_index": "The task's place in its group.",
    },
    "Sender": {
        "app_id": "The program that sent it.",
        "headers.origin": "The process and the machine that sent it.",
        "reply_to": "The queue for a reply. The kit stores results in the database instead.",
    },
}
OTHERS = "Other fields"
EMPTY = "Sent without a value"
LIMIT = f"if it has at most {wire_tap.MOST_TAPPED} jobs on each lane"
NOT_COPIED = f"No message of this run was copied. The messages of a comparison are copied {LIMIT}."
_NOTHING = {"null", "[]", "{}", "()", ""}


@dataclass(frozen=True)
class Field:
    """A field of a message. Its name has the prefix `headers.` if it is a header."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True)
class Wire:
    """The messages of one run, oldest first. There may be none."""

    lane: str
    run: str
    sent: list[Message]

    @property
    def first(self) -> Message | None:
        """The message that brought the run to its first worker."""
        return self.sent[0] if self.sent else None


def of(run: Run) -> list[Wire] | str:
    """Return the messages of a run and of the same job on the other lanes, or the reason why there are none.

    Raises:
        InvalidArguments: the record of its comparison was changed.
        StorageUnavailable: the database does not answer.
    """
    comparison = rows.find(run.comparison) if run.comparison else None
    if comparison is None:
        return f"Only the messages of a comparison are copied, {LIMIT}."
    if comparison.state != "ENDED":
        return "The messages appear here when the comparison has ended."
    if comparison.request.count > wire_tap.MOST_TAPPED:
        return NOT_COPIED  # the record is large, and it has no message
    found = record.read(record.folder_of(comparison.id))
    lanes = {each["id"]: each["lane"] for each in found.runs}
    same = [each for each in (run.id, *messages.twins(found.runs, run.id)) if lanes.get(each) in ("celery", "raw")]
    its = [Wire(lanes[each], each, messages.of_run(found.messages, each)) for each in same]
    order = list(map(str, comparison.request.lanes))
    its.sort(key=lambda wire: order.index(wire.lane))
    if not any(wire.sent for wire in its):
        return NOT_COPIED
    return its


def table(wires: Sequence[Wire]) -> list[tuple[str, list[list[Field]]]]:
    """Return the rows of the table: a purpose, and the fields of each lane's first message that serve it."""
    fields = [_fields(wire.first) if wire.first else {} for wire in wires]
    filled = [{name: value for name, value in its.items() if value not in _NOTHING} for its in fields]
    known = {name for meanings in PURPOSES.values() for name in meanings}
    rows = {
        purpose: [[Field(name, its[name], text) for name, text in meanings.items() if name in its] for its in filled]
        for purpose, meanings in PURPOSES.items()
    }
    rows[OTHERS] = [[Field(name, value, "") for name, value in its.items() if name not in known] for its in filled]
    empty = [", ".join(name for name, value in its.items() if value in _NOTHING) for its in fields]
    rows[EMPTY] = [[Field("", names, "")] if names else [] for names in empty]
    return [(purpose, cells) for purpose, cells in rows.items() if any(cells)]


def _fields(message: Message) -> dict[str, str]:
    named: dict[str, Any] = {"exchange": message.exchange, "routing_key": message.routing_key, **message.properties}
    named |= {f"headers.{name}": value for name, value in message.headers.items()}
    return {name: value if isinstance(value, str) else to_json(value).decode() for name, value in named.items()} | {
        "body": message.body
    }

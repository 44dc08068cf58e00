"""Faults 24 and 25: messages that are not runs, and a message that comes a hundred times."""

import pickle

import pika
import pytest

from cars_bot.runs import new_id
from tests.contract.test_by_hand import python
from tests.faults.trial import Trial
from tests.kit import until

GARBAGE = pytest.mark.fault(24, "garbage, a wrong content type, a pickle, deep JSON, an unknown job")
COPIES = pytest.mark.fault(25, "the same message 100 times at once")

WHERE = {"celery": ("cars_bot", "default"), "raw": ("raw.jobs", "default")}
JSON = "application/json"


class Evil:
    """An object that runs code if it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("a stranger's code runs",)


DEEP = b"[" * 100_000 + b"]" * 100_000
# Each lane names the job in its own way: the hand-written one in `type`, Celery in a header.
STRANGE = {
    "garbage": (b"\x80\xff\x00", JSON, "debug_task"),
    "another content type": (b"a,b,c", "text/csv", "debug_task"),
    "no content type": (b"{}", None, "debug_task"),
    "a pickle": (pickle.dumps(Evil()), "application/x-python-serialize", "debug_task"),
    "nested deeply": (b"[[], " + DEEP + b", {}]", JSON, "debug_task"),
    "an unknown job": (b"[[], {}, {}]", JSON, "no_such_job"),
    "a number": (b"5", JSON, "debug_task"),
    "half of it": (b'[[], {"x": ', JSON, "debug_task"),
}


@GARBAGE
@pytest.mark.quick
def test_messages_that_are_no_runs_are_put_aside_and_the_worker_lives(trial: Trial, lane: str, worker: str) -> None:
    family, sent = trial.kit.family(worker), []
    exchange, key = WHERE[lane]
    trial.submit(count=5)
    with trial.channel() as channel:
        for body, content_type, job in STRANGE.values():
            sent.append(run_id := new_id())
            headers = {"task": job, "id": run_id, "lang": "py", "root_id": run_id, "argsrepr": "()", "kwargsrepr": "{}"}
            properties = pika.BasicProperties(
                content_type=content_type, content_encoding="utf-8", message_id=run_id, correlation_id=run_id,
                type=job if lane == "raw" else None, headers=headers if lane == "celery" else None,
            )  # fmt: skip
            channel.basic_publish(exchange, key, body, properties)
    trial.submit(count=5)
    trial.healed()

    assert trial.survives(within=60)[lane].done == 10
    assert trial.put_aside(lane, sent) == sorted(sent)
    assert trial.kit.family(worker) == family, "a process died of it"


@COPIES
@pytest.mark.quick
def test_a_hundred_copies_of_a_message_have_one_effect(trial: Trial, lane: str) -> None:
    (run_id,) = trial.submit(args={"task_num": 1, "timeout": 0.5})
    trial.submit(count=5)
    python(
        trial.kit,
        "from api.publishing import lanes\nfrom cars_bot import database, runs\n"
        f"with database.statements() as c: run = runs.find(c, {run_id!r})\n"
        f"assert len(lanes.publish({lane!r}, [run] * 100)) == 100\nlanes.close()",
    )
    trial.healed()

    assert trial.survives(within=60)[lane].done == 6
    until(lambda: trial.depth({"celery": "default", "raw": "raw.default"}[lane]) == 0, 20, "all copies are used up")

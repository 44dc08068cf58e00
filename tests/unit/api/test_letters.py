"""Reading dead letters: every message can be listed, shown and told from the others, whatever is wrong with it."""

from pathlib import Path

import pika
import pytest

from api.dead_letters.letters import Letter, read
from api.dead_letters.listing import WholeLetter, contents, shown_with
from cars_bot import runs
from tests.contract.dead_letters import Message, hostile, message, strange


def letter(lane: str, sent: Message) -> Letter:
    """A message as the kit reads it from a lane's dead letters."""
    properties, body = sent
    return read(lane, "0.1.0.default", pika.BasicProperties(**properties), body)


def test_a_good_message_is_read_as_it_was_sent(lane: str) -> None:
    run_id = runs.new_id()
    found = letter(lane, message(lane, run_id, "process_task", task_num=1, timeout=0))

    assert (found.id, found.run_id, found.job, found.queue) == (run_id, run_id, "process_task", "default")
    assert (found.args, found.reason) == ({"task_num": 1, "timeout": 0}, "unknown")


def test_positional_arguments_of_a_celery_message_get_their_names() -> None:
    properties, _body = message("celery", runs.new_id(), "process_task")

    assert letter("celery", (properties, b'[[1, 2.5], {"worker_id": "x"}, {}]')).args == {
        "task_num": 1,
        "timeout": 2.5,
        "worker_id": "x",
    }


def test_nothing_can_be_sent_that_cannot_be_shown(lane: str, tmp_path: Path) -> None:
    trap = tmp_path / "a pickle was read"
    for sent in [*hostile(lane), *strange(lane, trap).values()]:
        found = letter(lane, sent)
        answer = WholeLetter(**shown_with(found, None).model_dump(), **contents(found)).model_dump_json()
        assert found.reason
        assert answer
        assert found.id == found.run_id or found.id.startswith("message-")
    assert not trap.exists()


def test_what_cannot_be_read_is_not_called_by_a_run_it_may_only_claim_to_be(lane: str) -> None:
    run_id = runs.new_id()
    properties, _body = message(lane, run_id)
    one, same, other = (letter(lane, (properties, body)) for body in (b"\xff1", b"\xff1", b"\xff2"))

    assert one.run_id == run_id
    assert run_id != one.id == same.id != other.id


@pytest.mark.parametrize("case", ["undecodable: 2000000 bytes, over 1048576", "undecodable: "])
def test_what_a_raw_worker_put_aside_stays_unreadable(case: str) -> None:
    properties, body = message("raw", runs.new_id(), "debug_task")

    found = letter("raw", (properties | {"headers": {"reason": case}}, body))
    assert (found.args, found.reason) == (None, case)

"""Reading exports: good messages come in, bad ones are named, chats are told apart, and no other writer waits long."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from cars_bot import database
from cars_bot.boundary import posts
from cars_bot.database.cars_models import posts as table
from cars_bot.errors import InvalidArguments

pytestmark = pytest.mark.usefixtures("fresh_database")


def chat(*messages: Any, name: Any = "Cars", **more: Any) -> dict[str, Any]:
    return {"name": name, "messages": list(messages), **more}


def message(number: Any, said: Any = "Kia Rio", **more: Any) -> dict[str, Any]:
    return {"id": number, "type": "message", "text": said, **more}


def store(export: Any) -> posts.Imported:
    return posts.store(json.dumps(export).encode(), "the export")


def stored() -> dict[tuple[str, int], str]:
    with database.statements() as connection:
        return {(row.channel, row.message_id): row.text for row in connection.execute(select(table))}


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(chat(message(1, "ü"))).encode())
    assert posts.import_export(path).post_ids.keys() == {("Cars", 1)}


def test_what_is_no_text_at_all_is_empty_and_what_no_database_takes_is_replaced() -> None:
    store(
        chat(
            message(1, None),
            message(2, ["a", None, {"text": "b"}, {"type": "x"}]),
            message(3, "half \ud83d"),
            {"id": 4},
        )
    )
    assert stored() == {("Cars", 1): "", ("Cars", 2): "ab", ("Cars", 3): "half \ufffd", ("Cars", 4): ""}


def test_a_damaged_byte_is_replaced_and_another_encoding_is_refused_in_words() -> None:
    whole = json.dumps(chat(message(1, "🚗" * 40), message(2, "ok")), ensure_ascii=False).encode()
    posts.store(whole.replace("🚗".encode(), b"\xf0\x9f", 1), "the export")
    assert stored() == {("Cars", 1): "\ufffd" + "🚗" * 39, ("Cars", 2): "ok"}
    posts.store(b'{"name": "B", "messages": [{"id": 1, "text": "half \xf0\x9f"}]}', "a short export")
    assert stored()["B", 1] == "half \ufffd"
    with pytest.raises(InvalidArguments, match=r"not JSON.*utf-8"):
        posts.store(json.dumps(chat(message(1, "Продаю Kia")), ensure_ascii=False).encode("cp1251"), "the export")


@pytest.mark.parametrize("odd", [None, 7, {}, {"name": "x"}, {"messages": None}, []])
def test_a_chat_that_is_none_is_named_and_the_others_come_in(odd: Any) -> None:
    found = store({"chats": {"list": [odd, chat(message(1), id=5)]}, "left_chats": {"list": 7}})
    assert found.post_ids.keys() == {("Cars", 1)}
    assert [sentence.partition(":")[0] for sentence in found.unreadable] == ["a chat without a list of messages"]


BAD = [
    7, None, [], {}, message(True), message("5"), message(1.5), message(2**70), message(9, 7),
    message(9, {"a": {}, "text": 1}), message(9, [["x"]]),
    message(9, [{"text": "a", "href": 3}]), message(9, "x" * 100_001),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad)[:40])
def test_a_bad_message_is_named_and_the_others_come_in(bad: Any) -> None:
    found = store(chat(message(1), bad, message(2)))
    assert found.post_ids.keys() == {("Cars", 1), ("Cars", 2)}
    (sentence,) = found.unreadable
    assert sentence.startswith("Cars: ")


@pytest.mark.parametrize("date", ["soon", "-1", "1e400", "NaN", None, [], True, "99999999999999"])
def test_a_date_that_is_none_is_not_known(date: Any) -> None:
    store(chat(message(1, date_unixtime=date), message(2, date_unixtime="1700000000")))
    with database.statements() as connection:
        assert connection.execute(select(table.c.posted_at).order_by(table.c.message_id)).scalars().all() == [
            None,
            1.7e9,
        ]


def test_a_message_that_is_there_twice_is_one_post() -> None:
    store(chat(message(1, "first"), message(1, "second")))
    store(chat(message(1, "third")))
    assert stored() == {("Cars", 1): "third"}


def test_chats_of_one_name_are_told_apart_by_their_ids_in_every_import() -> None:
    both = {"chats": {"list": [chat(message(1, "a"), id=10), chat(message(1, "b"), id=20)]}}
    left = {"left_chats": {"list": [chat(message(1, "c"), id=30, name="Left")]}}
    assert store(both | left).post_ids.keys() == {("Cars", 1), ("Cars (20)", 1), ("Left", 1)}
    store(chat(message(1, "b again"), id=20, name="Renamed"))
    store(chat(message(1, "no id at all"), name="Other"))
    assert stored() == {
        ("Cars", 1): "a", ("Cars (20)", 1): "b again", ("Left", 1): "c", ("Other", 1): "no id at all",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["\x00\ud83d", "x" * 500, None, 7, "", "  ", "\u202ecars"])
def test_a_chat_may_have_any_name(name: Any) -> None:
    found = store(chat(message(1), name=name, id=2**52))
    ((channel, _),) = found.post_ids
    assert 0 < len(channel) <= 128


@pytest.mark.parametrize(
    "export", [7, None, [], {}, {"messages": 1}, {"chats": 1}, {"chats": {"list": [1]}}, {"chats": {"list": []}}]
)
def test_what_is_no_export_is_refused_in_words(export: Any) -> None:
    with pytest.raises(InvalidArguments, match="In Telegram Desktop"):
        store(export)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[" * 100_000, b"{"])
def test_what_is_no_json_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(InvalidArguments, match="not JSON"):
        posts.store(content, "the export")


def test_others_write_while_a_long_export_is_imported() -> None:
    waits, over = [], threading.Event()

    def write() -> None:
        while not over.is_set():
            began = time.monotonic()
            with database.writing() as connection:
                connection.execute(text("DELETE FROM stats"))
            waits.append(time.monotonic() - began)

    other = threading.Thread(target=write)
    other.start()
    told: list[int] = []
    try:
        export = json.dumps(chat(*(message(number) for number in range(1, 4_001)))).encode()
        posts.store(export, "long", lambda done, total: told.append(done))
    finally:
        over.set()
        other.join()
    assert told == list(range(posts.BITE, 4_001, posts.BITE)), "it says how far it is"
    assert max(waits) < 1.0, "the lock was held for the whole import"
    assert len(waits) > 20

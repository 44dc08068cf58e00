"""Import of a Telegram Desktop export (`result.json`) into the posts table.

An export holds one chat, or a whole account with a list of its chats, including chats that the user has left. A text is
a string, or a list of strings and entities. Service messages (someone joined, a pin) are not posts. An unreadable
message is named and left out; the others are imported. A second import updates the posts and makes no copies.

The id identifies a chat, because two chats may have the same name. Then the second is called by its name and its id.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from cars_bot import database
from cars_bot.boundary import outside
from cars_bot.database.cars_models import chats, posts
from cars_bot.errors import InvalidArguments

HOW = "In Telegram Desktop: open the chat, ⋮, Export chat history, format JSON."
BITE = 200  # messages in one transaction; between two of them other processes can write
LONGEST_TEXT = 100_000  # characters; Telegram's own limit is far below
LARGEST_ID = 2**53 - 1
YEAR_2300 = 10_413_792_000
_NAME = int(chats.c.name.type.length) - 32  # type: ignore[attr-defined]  # there is room for an id behind it


@dataclass
class Imported:
    """Result of an import.

    Attributes:
        post_ids: our id for each (channel, message id), in the export's order.
        skipped: the number of service messages.
        unreadable: a sentence with the reason for each message left out.
    """

    post_ids: dict[tuple[str, int], int] = field(default_factory=dict)
    skipped: int = 0
    unreadable: list[str] = field(default_factory=list)


Progress = Callable[[int, int], object]
"""A function that gets two numbers: messages read so far, and messages in all."""


def import_export(path: Path, progress: Progress = lambda done, total: None) -> Imported:
    """Import every message of the export at `path`.

    Raises:
        InvalidArguments: there is no such file, or it is not an export. The message says why, and how to make one.
        StorageUnavailable: the database does not answer. Imported posts stay; import again to continue.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidArguments(f"{path}: {error.strerror}") from error
    return store(content, str(path), progress)


def store(content: bytes, name: str, progress: Progress = lambda done, total: None) -> Imported:
    """Import an export's bytes: UTF-8, with or without a byte order mark. A few bytes may be damaged.

    `name` names the export in errors.

    Raises:
        As `import_export`.
    """
    try:
        export = json.loads(outside.decoded(content))
    except (ValueError, RecursionError) as error:
        raise InvalidArguments(f"{name} is not JSON ({error}). {HOW}") from error
    imported = Imported()
    found = list(_chats(export, name, imported))
    total, done = sum(len(chat["messages"]) for chat in found), 0
    for chat in found:
        channel = _channel(chat)
        for start in range(0, len(chat["messages"]), BITE):
            bite, began = chat["messages"][start : start + BITE], time.monotonic()
            _store(channel, bite, imported)
            done += len(bite)
            progress(done, total)
            # SQLite has no queue for its lock. An import that takes it again at once leaves the others no gap.
            if done < total:
                time.sleep(time.monotonic() - began)
    if imported.unreadable and not imported.post_ids:
        raise InvalidArguments(f"{name} has no readable message. The first error: {imported.unreadable[0]}. {HOW}")
    return imported


def _chats(export: Any, name: str, imported: Imported) -> Iterator[dict[str, Any]]:
    if not isinstance(export, dict):
        raise InvalidArguments(f"{name} is not a Telegram export: it is not a JSON object. {HOW}")
    if "messages" in export:
        listed = [export]
    else:
        groups = [export.get(group) for group in ("chats", "left_chats")]
        lists = [group.get("list") for group in groups if isinstance(group, dict)]
        listed = [chat for group in lists if isinstance(group, list) for chat in group]
    readable = [chat for chat in listed if isinstance(chat, dict) and isinstance(chat.get("messages"), list)]
    if not readable:
        raise InvalidArguments(f"{name} has no list of messages, so it is not a Telegram export. {HOW}")
    imported.unreadable += [
        f"a chat without a list of messages: {outside.clean(str(chat))[:80]}"
        for chat in listed
        if not any(chat is good for good in readable)
    ]
    yield from readable


def _channel(chat: dict[str, Any]) -> str:
    """Return the name of a chat in our tables. The same id always has the same name."""
    told, number = chat.get("name"), outside.whole(chat.get("id"), -LARGEST_ID, LARGEST_ID)
    name = outside.clean(str(told if told is not None else number or "unnamed"))[:_NAME].strip() or "unnamed"
    if number is None:
        return name
    with database.writing() as connection:
        for called in (name, f"{name} ({number})"):
            known = select(chats.c.name).where(chats.c.id == number)
            if (found := connection.execute(known).scalar_one_or_none()) is not None:
                return str(found)
            taken = select(chats.c.id).where(chats.c.name == called)
            if connection.execute(taken).first() is None:
                connection.execute(chats.insert().values(id=number, name=called))
                return called
    raise InvalidArguments(
        f"two chats are called {name!r}, and a third is called {called!r}; rename one of them in the export"
    )


def _store(channel: str, messages: list[Any], imported: Imported) -> None:
    rows: dict[int, dict[str, Any]] = {}  # by message id: an export may hold a message twice
    for message in messages:
        try:
            if (row := _row(message)) is None:
                imported.skipped += 1
            else:
                rows[row["message_id"]] = row | {"channel": channel}
        except InvalidArguments as error:
            imported.unreadable.append(f"{channel}: {error}")
    if rows:
        with database.writing() as connection:
            ids = _upsert(connection, list(rows.values()))
        imported.post_ids |= {(channel, message_id): ids[message_id] for message_id in rows}


def _upsert(connection: Connection, rows: list[dict[str, Any]]) -> dict[int, int]:
    new = database.insert(posts).values(rows)
    changed = new.on_conflict_do_update(
        index_elements=["channel", "message_id"], set_={name: new.excluded[name] for name in ("text", "posted_at")}
    )
    stored = connection.execute(changed.returning(posts.c.message_id, posts.c.id))
    return {row.message_id: row.id for row in stored}


def _row(message: Any) -> dict[str, Any] | None:
    """Return a message as a row; None for a service message.

    Raises:
        InvalidArguments: the message is unreadable. The error names it.
    """
    if not isinstance(message, dict):
        raise InvalidArguments(f"a message that is not a JSON object: {outside.clean(str(message))[:80]}")
    if message.get("type", "message") != "message":
        return None
    number = outside.whole(message.get("id"), -LARGEST_ID, LARGEST_ID)
    if number is None:
        raise InvalidArguments(f"a message without a numeric id: {outside.clean(str(message))[:80]}")
    text = outside.clean(_text(message.get("text"), number))
    if len(text) > LONGEST_TEXT:
        raise InvalidArguments(f"message {number} has {len(text):,} characters; at most {LONGEST_TEXT:,} are read")
    return {"message_id": number, "text": text, "posted_at": outside.number(message.get("date_unixtime"), 1, YEAR_2300)}


def _text(text: Any, number: int) -> str:
    """Return the plain text of a message. Entities are its parts, in order. A link behind words follows them."""
    parts = text if isinstance(text, list) else [text]
    return "".join(_part(part, number) for part in parts if part is not None)


def _part(part: Any, number: int) -> str:
    if isinstance(part, str):
        return part
    text, href = (part.get("text"), part.get("href")) if isinstance(part, dict) else (part, None)
    if not (text is None or isinstance(text, str)) or not (href is None or isinstance(href, str)):
        raise InvalidArguments(f"message {number} has a part that is not text: {outside.clean(str(part))[:80]}")
    return (text or "") + (f" ({href})" if href else "")

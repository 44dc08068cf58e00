"""Reading a Telegram Desktop export (`result.json`) into the posts table.

Both shapes are read: one chat, and a whole account with its chats listed. A text may be a string or a list of strings
and entities; service messages (someone joined, a pin) are not posts. What was imported before is brought up to date,
not doubled.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cars_bot import database
from cars_bot.errors import InvalidArguments
from cars_bot.models import posts

HOW = "In Telegram Desktop: open the chat, ⋮, Export chat history, format JSON."


@dataclass(frozen=True)
class Imported:
    """What an import found. `post_ids` maps (channel, message id) to our id, in the export's order."""

    post_ids: dict[tuple[str, int], int]
    skipped: int


def import_export(path: Path) -> Imported:
    """Import every message of the export at `path`.

    Raises:
        InvalidArguments: no such file, or not an export; the message says what was wrong and how to make one.
    """
    try:
        export = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidArguments(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidArguments(f"{path} is not JSON ({error}). {HOW}") from error
    return store(export, str(path))


def store(export: Any, name: str) -> Imported:
    """Import an export that was read already; `name` stands for it in errors. See `import_export`."""
    try:
        return _store(export, name)
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise InvalidArguments(f"{name} has an odd shape ({error}). {HOW}") from error


def _store(export: Any, name: str) -> Imported:
    post_ids: dict[tuple[str, int], int] = {}
    skipped = 0
    with database.writing() as connection:
        for chat in _chats(export, name):
            channel = str(chat.get("name") or chat.get("id") or "unnamed")
            for message in chat["messages"]:
                if not isinstance(message, dict) or not isinstance(message.get("id"), int):
                    raise InvalidArguments(f"{name}: a message without a numeric id: {str(message)[:80]}. {HOW}")
                if message.get("type", "message") != "message":
                    skipped += 1
                    continue
                row = {"channel": channel, "message_id": message["id"], "text": _text(message.get("text", "")),
                       "posted_at": float(message.get("date_unixtime") or 0) or None}  # fmt: skip
                statement = database.insert(posts).values(row)
                stored = connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["channel", "message_id"], set_={"text": row["text"]}
                    ).returning(posts.c.id)
                )
                post_ids[channel, message["id"]] = stored.scalar_one()
    return Imported(post_ids, skipped)


def _chats(export: Any, name: str) -> list[dict[str, Any]]:
    if isinstance(export, dict):
        chats = [export] if "messages" in export else (export.get("chats") or {}).get("list", [])
        if chats and all(isinstance(chat, dict) and isinstance(chat.get("messages"), list) for chat in chats):
            return chats
    raise InvalidArguments(f"{name} has no list of messages, so it is not a Telegram export. {HOW}")


def _text(text: Any) -> str:
    """The plain text of a message: entities are parts of it, in order; where words hide a link, it is written out."""
    return "".join(map(_part, text)) if isinstance(text, list) else _part(text)


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return str(part)
    href = f" ({part['href']})" if part.get("href") else ""
    return f"{part.get('text', '')}{href}"

"""Chats and their messages, with the numbers and the shapes that Telegram gives them. Memory is bounded."""

import time
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_MESSAGES = 50_000  # over all chats; beyond it the oldest are forgotten, and the numbers go on


@dataclass
class Chat:
    """One channel, group or person. `total` also counts the forgotten messages."""

    key: str
    name: str
    total: int = 0
    messages: deque[dict[str, Any]] = field(default_factory=deque)

    def as_telegram(self) -> dict[str, Any]:
        """Return the `Chat` object of the Bot API."""
        if self.name.startswith("@"):
            number = -1_000_000_000_000 - zlib.crc32(self.key.encode())
            return {"id": number, "type": "channel", "title": self.name[1:], "username": self.name[1:]}
        number = int(self.name)
        return {"id": number, "type": "private" if number > 0 else "supergroup", "title": self.name}


class Chats:
    """All chats by name (`@channel`, case-insensitive) or number. The first message makes the chat."""

    def __init__(self, max_messages: int = MAX_MESSAGES) -> None:
        self._chats: dict[str, Chat] = {}
        self._order: deque[Chat] = deque()
        self._max_messages = max_messages

    def post(self, chat_name: str, content: dict[str, Any]) -> dict[str, Any]:
        """Add a message to a chat and return it with its number (1, 2, … within the chat) and date."""
        key = chat_name.lower()
        chat = self._chats.setdefault(key, Chat(key, chat_name))
        chat.total += 1
        message = {
            "message_id": chat.total,
            "date": int(time.time()),
            "chat": chat.as_telegram(),
            **content,
        }
        chat.messages.append(message)
        self._order.append(chat)
        while len(self._order) > self._max_messages:
            self._order.popleft().messages.popleft()
        return message

    def messages(self, chat_name: str) -> list[dict[str, Any]]:
        """Return the stored messages of one chat, oldest first."""
        chat = self._chats.get(chat_name.lower())
        return list(chat.messages) if chat else []

    def total(self, chat_name: str) -> int:
        """Return the number of messages that a chat has ever received."""
        chat = self._chats.get(chat_name.lower())
        return chat.total if chat else 0

    def __iter__(self) -> Iterator[Chat]:
        return iter(self._chats.values())

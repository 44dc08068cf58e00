"""Telegram: the Bot API methods that the kit uses, and the chats that they fill."""

"""Contacts: the readers of phones and of the seller's Telegram handle."""

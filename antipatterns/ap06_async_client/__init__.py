"""Async clients in tasks."""

"""Retrying what can never succeed."""

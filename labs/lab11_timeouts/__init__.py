"""Timeouts."""

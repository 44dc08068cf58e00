"""Expecting exactly-once."""

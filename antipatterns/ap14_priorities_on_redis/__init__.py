"""Priorities upside down on Redis."""

"""Poison and dead letters."""

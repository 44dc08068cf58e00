"""Passing a row instead of an id."""

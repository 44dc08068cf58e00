"""Honest status."""

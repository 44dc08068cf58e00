"""Confirms."""

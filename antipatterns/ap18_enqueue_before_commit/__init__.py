"""Enqueue before commit."""

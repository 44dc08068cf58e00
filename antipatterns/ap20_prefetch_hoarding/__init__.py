"""Prefetch hoarding."""

"""Returning huge data."""

"""Publish-retry mistaken for task-retry."""

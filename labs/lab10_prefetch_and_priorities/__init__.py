"""Prefetch and priorities."""

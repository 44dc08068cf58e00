"""Autodiscover without imports."""

"""Boundary: texts, numbers, addresses and settings from outside are read and checked here."""

"""Boundary: the modules that read and check texts, numbers, addresses and settings from outside."""

"""Eighteen steps from the first message to a system that survives: `./kit lab list`."""

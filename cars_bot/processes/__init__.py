"""Processes: their clock, their start, their life, and the work that only one of them may do."""

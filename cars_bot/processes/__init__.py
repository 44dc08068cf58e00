"""Processes: their clock, their start, their names and leases, and the work that only one of them may do."""

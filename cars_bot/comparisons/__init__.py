"""Comparisons: one batch of jobs, sent to several lanes at the same moment, and its record."""

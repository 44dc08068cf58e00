"""Comparing: the thread that carries out comparisons, and the faults that it causes."""

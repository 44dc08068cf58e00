"""Fixtures of the contract tests: the raw lane alone, on servers of its own."""

from tests.contract.raw_lane import raw, servers

__all__ = ["raw", "servers"]

"""Reporting: a worker records its attempts, in the database or over HTTP."""

"""Benchmarks: the lanes beside each other and beside stock Celery, in one run, on servers of their own."""

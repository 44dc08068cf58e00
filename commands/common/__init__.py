"""Common: the parts that many commands use. `bootstrap.py` runs before any package is installed."""

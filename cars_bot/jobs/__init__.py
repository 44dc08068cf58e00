"""Job functions in plain Python. Each takes a Context and its own arguments. `catalogue.py` has their policies."""

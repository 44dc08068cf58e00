"""The job functions: plain Python, each taking a Context and its own arguments. `catalogue.py` has their policies."""

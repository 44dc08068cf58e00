"""Live: the parts that keep an open page up to date."""

"""Beat and delays."""

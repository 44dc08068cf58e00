"""One app: posts about cars."""

"""print instead of logging."""

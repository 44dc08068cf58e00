"""No timeouts."""

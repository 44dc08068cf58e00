"""External calls without retry."""

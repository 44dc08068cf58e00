"""Business logic in Beat."""

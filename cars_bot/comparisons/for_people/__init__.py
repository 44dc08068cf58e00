"""Comparisons as people read and type them: requests and conditions as text, the card, two results in one table."""

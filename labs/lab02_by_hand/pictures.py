"""Pictures: a post has one, and drawing it takes as long as the check wants."""

from experiments.evidence import hold


def draw(text: str) -> None:
    """Draw the picture of a post."""
    hold(text)

"""What every job of this lab does, as the check can stop it: hold, then leave a line in the channel."""

from experiments.evidence import hold
from experiments.messenger import post


def effect(text: str) -> None:
    """Publish a post in the channel."""
    hold(text)
    post(text)

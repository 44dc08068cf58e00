"""Effect of each job in this lab: hold, so that the check can stop the job, then publish a post."""

from experiments.evidence import hold
from experiments.messenger import post


def effect(text: str) -> None:
    """Publish a post in the channel. The check can hold it before."""
    hold(text)
    post(text)

"""The job itself. The check can hold it before it publishes anything."""

from experiments.evidence import hold
from experiments.messenger import post


def publish(text: str) -> None:
    """Publish a post.

    Raises:
        Refused: the messenger will never take it.
        Passing: the messenger did not take it this time.
    """
    hold(in_job(text))
    post(text)


def in_job(text: str) -> str:
    """Return the name of the place where this post's job is held."""
    return f"the job {text!r}"

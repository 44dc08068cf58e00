"""The job itself. The check can have it wait before it publishes anything."""

from experiments.evidence import hold
from experiments.messenger import post


def publish(text: str) -> None:
    """Publish a post; Refused is raised if the messenger will never take it."""
    hold(in_job(text))
    post(text)


def in_job(text: str) -> str:
    """Where the job of this post is held."""
    return f"the job {text!r}"

"""Publishing: a job that the check can stop before its post, and after it, while the job writes the receipt."""

from experiments.evidence import hold, note
from experiments.messenger import post


def publish(text: str) -> None:
    """Publish a post in the channel and write the receipt."""
    hold(f"before {text}")
    post(text)
    hold(f"after {text}")
    note("finished", text=text)

"""Publishing, as the labs' check can stop it: before the post is sent, and after it, while the receipt is written."""

from experiments.evidence import hold, note
from experiments.messenger import post


def publish(text: str) -> None:
    """Publish a post in the channel and write the receipt."""
    hold(f"before {text}")
    post(text)
    hold(f"after {text}")
    note("finished", text=text)

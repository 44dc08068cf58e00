"""Videos that go with posts. Converting one takes long: until the check has seen enough."""

from experiments.evidence import hold


def convert(text: str) -> None:
    """Convert the video of a post; most posts have none."""
    if text.startswith("Video"):
        hold(desk(text))


def desk(text: str) -> str:
    """Where the converting of this post's video is held up."""
    return f"converting {text}"

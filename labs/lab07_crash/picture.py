"""The picture that goes with a post. Rendering takes its time, and that is when the check pulls the plug."""

from experiments.evidence import hold


def render(text: str) -> None:
    """Render the picture of a post."""
    hold(desk(text))


def desk(text: str) -> str:
    """Where the rendering of this post can be held up."""
    return f"rendering {text}"

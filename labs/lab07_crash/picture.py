"""Picture: each post has one. Rendering takes a while, and the check kills processes during that time."""

from experiments.evidence import hold


def render(text: str) -> None:
    """Render the picture of a post."""
    hold(desk(text))


def desk(text: str) -> str:
    """Return the name of the place where the rendering of this post is held."""
    return f"rendering {text}"

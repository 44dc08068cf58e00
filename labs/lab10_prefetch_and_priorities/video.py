"""Videos of posts. The conversion of a video lasts until the check lets it end."""

from experiments.evidence import hold


def convert(text: str) -> None:
    """Convert the video of a post, if the post has one. Most posts have none."""
    if text.startswith("Video"):
        hold(desk(text))


def desk(text: str) -> str:
    """Return the name of the place at which the conversion of this post's video is held."""
    return f"converting {text}"

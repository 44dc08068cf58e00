"""Jobs of the app, for the consumer by hand."""

from config.by_hand import job

from apps.assets.work import keep_and_publish


@job
def test_task(message: str) -> None:
    """Process a message."""
    keep_and_publish(f"Processed: {message}")


@job
def example_async_task(name: str, count: int = 1) -> None:
    """Do some iterations for a name."""
    for number in range(count):
        keep_and_publish(f"{name} - iteration {number + 1}")

""".get() inside a task."""

"""Cars Bot: the domain that both lanes share. It knows nothing of Celery, pika or FastAPI."""

VERSION = "0.2.0"  # of the whole kit; a test compares it with pyproject.toml, CITATION.cff and CHANGELOG.md

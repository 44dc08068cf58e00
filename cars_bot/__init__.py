"""Cars Bot: the domain both lanes work for. It knows nothing of Celery, pika or FastAPI."""

VERSION = "0.2.0"  # of the whole kit; pyproject.toml, CITATION.cff and CHANGELOG.md are tested against it

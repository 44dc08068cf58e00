"""Cars Bot: the domain both lanes work for. It knows nothing of Celery, pika or FastAPI."""

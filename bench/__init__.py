"""The lanes against each other and against stock Celery, measured in one run on servers of its own."""

"""The Django project's apps."""

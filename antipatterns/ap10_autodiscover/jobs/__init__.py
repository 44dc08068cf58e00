"""A package as in a Django project: its tasks are in `jobs/tasks/`."""

"""Nothing is imported here, so importing `jobs.tasks` brings no task."""

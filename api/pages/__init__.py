"""Pages: HTML for people, with the templates and the static files."""

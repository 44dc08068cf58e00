"""The web: the page, the JSON API, and the way from an accepted run to a broker."""

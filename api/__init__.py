"""Web application: the pages, the JSON API, and the way of an accepted run to a broker."""

from cars_bot.processes import startup as startup  # first: invalid settings end the process here

"""The web: the page, the JSON API, and the way from an accepted run to a broker."""

from cars_bot.processes import startup as startup  # first: settings that are no good end the process here

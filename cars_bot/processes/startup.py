"""Startup: the first import of every program. Wrong settings end it at once, with one sentence and exit code 4.

Otherwise a worker would take a message before it finds the error, and its traceback would show a password.
"""

import sys
from typing import NoReturn

from cars_bot.boundary import database_url
from cars_bot.errors import NotConfigured
from cars_bot.settings import settings

CANNOT = 4  # the exit code of all our programs if something stops them


def end(problem: NotConfigured) -> NoReturn:
    """Print the error in the settings and end the process."""
    print(f"kit: {problem}", file=sys.stderr)  # noqa: T201 - nothing is set up yet that could log it
    sys.exit(CANNOT)


def need_folder() -> None:
    """Make the database's folder, or end the process. Call it before the first use of the database."""
    try:
        database_url.make_folder(settings().database_url)
    except NotConfigured as problem:
        end(problem)


try:
    settings()
    from cars_bot import catalogue as catalogue  # with the jobs that EXTRA_JOBS brings
except NotConfigured as problem:
    end(problem)

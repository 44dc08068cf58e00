"""The first import of every program: settings that are no good end it at once, with one sentence and exit code 4.

A worker that only finds out when a message comes has taken the message, and its traceback would hold a password.
"""

import sys
from typing import NoReturn

from cars_bot.boundary import database_url
from cars_bot.errors import NotConfigured
from cars_bot.settings import settings

CANNOT = 4  # the exit code of all our programs when something is in the way


def end(problem: NotConfigured) -> NoReturn:
    """Say what is wrong with the settings and end the process."""
    print(f"kit: {problem}", file=sys.stderr)  # noqa: T201 - nothing is set up yet that could log it
    sys.exit(CANNOT)


def need_folder() -> None:
    """Make the database's folder, or end the process: for those who are about to use it."""
    try:
        database_url.make_folder(settings().database_url)
    except NotConfigured as problem:
        end(problem)


try:
    settings()
    from cars_bot import catalogue as catalogue  # with the jobs that EXTRA_JOBS brings
except NotConfigured as problem:
    end(problem)

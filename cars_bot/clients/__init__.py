"""Clients: a few functions and errors of ours in front of the libraries openai, python-telegram-bot and gspread.

    language_model   classify, extract, describe
    telegram         send_message, send_photo, get_me
    spreadsheet      read, replace, append

Every failure becomes one of `cars_bot.errors`:

    Throttled        the other side told us to wait
    Retryable        it may pass
    Permanent        it cannot pass
    OutcomeUnknown   the reply was lost, and the effect may have happened

The base URLs in the settings choose the real service or the stand-in. The code is the same for both.

The import of the libraries takes most of a second, so it waits for the first call. A process that forks its workers can
call `preload()` first and pay only once.
"""

from contextlib import suppress

from cars_bot.clients import call_limits


def preload(lane: str) -> None:
    """Import the heavy libraries and load the certificates now, and name the lane in each request. Children share them.

    So the stand-in can make faults for one lane.
    """
    import gspread  # noqa: F401
    import openai  # noqa: F401
    import telegram  # noqa: F401

    from cars_bot.clients import google_errors, google_http  # noqa: F401

    with suppress(OSError):  # a call that needs them says why they cannot be read
        call_limits.certificates()
    call_limits.HEADERS["X-Sender"] = lane

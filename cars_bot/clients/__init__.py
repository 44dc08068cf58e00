"""The real client libraries (openai, python-telegram-bot, gspread) behind our own few functions and our own errors.

    language_model   classify, extract, describe
    telegram         send_message, send_photo, get_me
    spreadsheet      read, replace, append

Whatever goes wrong in there comes out as one of `cars_bot.errors`: Throttled when told to wait, Retryable when it
may pass, Permanent when it cannot, OutcomeUnknown when an effect may have happened and its reply was lost. Whether
the other side is the real service or the stand-in is settled by base URLs in the settings; the code is the same.

The libraries take most of a second to import, so nothing here does before the first call. A process that forks its
workers can pay once, up front, with `preload()`.
"""


def preload() -> None:
    """Import the heavy libraries now, so that children forked later share them."""
    import gspread  # noqa: F401
    import openai  # noqa: F401
    import telegram  # noqa: F401

    from cars_bot.clients import google_http  # noqa: F401

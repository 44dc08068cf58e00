"""Posting to Telegram. Its API takes no idempotency key, so a send whose reply was lost stays unknown for ever."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from cars_bot.boundary import outside
from cars_bot.clients import limits
from cars_bot.clients.per_process import per_process
from cars_bot.errors import CarsBotError, OutcomeUnknown, Permanent, Retryable, Throttled
from cars_bot.settings import Settings

if TYPE_CHECKING:
    from telegram import Bot, Message
    from telegram.error import TelegramError

    from cars_bot.clients.telegram_http import BotLine

T = TypeVar("T")


def send_message(chat: str, text: str) -> int:
    """Post plain `text` (at most 4096 characters) to `chat` (`@channel` or a numeric id); returns the message's id.

    The text is sent as it is, without a parse mode: nothing in it is markup.

    Raises:
        Throttled, Retryable: not posted, may be tried again. Permanent: not posted, never will be.
        OutcomeUnknown: perhaps posted.
    """
    return _id_of(_call(lambda bot: bot.send_message(chat, outside.clean(text))))


def send_photo(chat: str, photo_url: str, caption: str) -> int:
    """Post a photo that Telegram fetches from `photo_url`, with a plain caption of at most 1024 characters.

    Raises:
        As `send_message`.
    """
    return _id_of(_call(lambda bot: bot.send_photo(chat, photo_url, caption=outside.clean(caption))))


def get_me() -> dict[str, Any]:
    """Who our bot is; a cheap way to see whether token and network work.

    Raises:
        Throttled, Retryable, Permanent.
    """
    try:
        return _call(lambda bot: bot.get_me()).to_dict()
    except OutcomeUnknown as error:
        raise Retryable(str(error)) from None  # it only reads


def _id_of(message: "Message") -> int:
    if (number := outside.whole(getattr(message, "message_id", None))) is None:
        raise OutcomeUnknown("Telegram's answer names no message; it may be posted")
    return number


def _call(make: "Callable[[Bot], Awaitable[T]]") -> T:
    from telegram.error import TelegramError

    try:
        return _line().call(make)
    except TelegramError as error:
        raise _translate(error) from None
    except TimeoutError:
        raise OutcomeUnknown(f"Telegram did not answer within {limits.DEADLINE_SECONDS:g} s") from None
    except outside.UNREADABLE as error:
        raise OutcomeUnknown(f"Telegram's answer is unreadable: {error!r:.200}") from None


def _translate(error: "TelegramError") -> CarsBotError:
    """The library's error as ours, for a call that would have changed something.

    The distance that the call went decides. Telegram refused it, or there was no connection: nothing happened. It was
    sent, and no answer says that nothing was done: unknown.
    """
    import httpx
    from telegram import error as errors

    from cars_bot.clients.telegram_http import NoProof

    text = f"Telegram: {error!s:.200}"
    if isinstance(error, NoProof):
        return OutcomeUnknown(f"{text}, which does not say whether the message was posted")
    if isinstance(error, errors.RetryAfter):
        wait = error.retry_after
        return Throttled("Telegram: flood control", wait.total_seconds() if isinstance(wait, timedelta) else wait)
    if isinstance(error, errors.BadRequest) or not isinstance(error, errors.NetworkError):
        unreadable = type(error) is errors.TelegramError  # status 200 and no JSON
        return OutcomeUnknown(text) if unreadable else Permanent(text)
    cause = error.__cause__
    if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError):
        return Retryable(text)
    return OutcomeUnknown(text)


@per_process
def _line(where: Settings) -> "BotLine":
    from cars_bot.clients.telegram_http import BotLine

    return BotLine(where)

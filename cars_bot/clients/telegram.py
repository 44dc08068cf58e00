"""Telegram: functions that post messages. Its API takes no idempotency key, so a lost reply stays unknown for ever."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from cars_bot.boundary import outside
from cars_bot.clients import call_limits
from cars_bot.clients.per_process import per_process
from cars_bot.errors import CarsBotError, OutcomeUnknown, Permanent, Retryable, Throttled
from cars_bot.settings import Settings

if TYPE_CHECKING:
    from telegram import Bot, Message
    from telegram.error import TelegramError

    from cars_bot.clients.telegram_http import BotLine

T = TypeVar("T")


def send_message(chat: str, text: str) -> int:
    """Post plain `text` (at most 4096 characters) to `chat` (`@channel` or a numeric id). Return the message's id.

    The text goes out unchanged and without a parse mode: nothing in it is markup.

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
    """Return the data of our bot. This is a cheap test of token and network.

    Raises:
        Throttled, Retryable, Permanent.
    """
    try:
        return _call(lambda bot: bot.get_me()).to_dict()
    except OutcomeUnknown as error:
        raise Retryable(str(error)) from None  # it only reads, so a second call does no harm


def _id_of(message: "Message") -> int:
    if (number := outside.whole(getattr(message, "message_id", None))) is None:
        raise OutcomeUnknown("Telegram's answer names no message; the message may be posted")
    return number


def _call(make: "Callable[[Bot], Awaitable[T]]") -> T:
    from telegram.error import TelegramError

    try:
        return _line().call(make)
    except TelegramError as error:
        raise _translate(error) from None
    except TimeoutError:
        raise OutcomeUnknown(f"Telegram did not answer within {call_limits.DEADLINE_SECONDS:g} s") from None
    except outside.UNREADABLE as error:
        raise OutcomeUnknown(f"Telegram's answer is unreadable: {error!r:.200}") from None


def _translate(error: "TelegramError") -> CarsBotError:
    """Return the library's error as ours, for a call that would have changed something.

    The error depends on how far the call came. After a refusal, or without a connection, nothing happened. A call that
    was sent, and that no answer refuses, has an unknown outcome.
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
    never_sent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
    rows: list[tuple[bool, type[CarsBotError]]] = [  # the first row that is true counts
        (isinstance(error, errors.BadRequest), Permanent),  # a refusal; to the library it is also a NetworkError
        (isinstance(error, errors.NetworkError) and isinstance(error.__cause__, never_sent), Retryable),
        (isinstance(error, errors.NetworkError), OutcomeUnknown),
        (type(error) is errors.TelegramError, OutcomeUnknown),  # status 200 and no JSON
        (True, Permanent),
    ]
    return next(ours for fits, ours in rows if fits)(text)


@per_process
def _line(where: Settings) -> "BotLine":
    from cars_bot.clients.telegram_http import BotLine

    return BotLine(where)

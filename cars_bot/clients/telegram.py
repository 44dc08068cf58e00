"""Posting to Telegram. Its API takes no idempotency key, so a send whose reply was lost stays unknown for ever."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from cars_bot import outside
from cars_bot.clients import answers, limits
from cars_bot.clients.per_process import per_process
from cars_bot.errors import CarsBotError, OutcomeUnknown, Permanent, Retryable
from cars_bot.settings import Settings

if TYPE_CHECKING:
    from telegram import Bot, Message
    from telegram.error import TelegramError

    from cars_bot.clients.telegram_http import BotLine

T = TypeVar("T")
TELEGRAM = answers.Service("Telegram", throttled_seconds=5.0)


def send_message(chat: str, text: str) -> int:
    """Post plain `text` (at most 4096 characters) to `chat` (`@channel` or a numeric id); returns the message's id.

    The text is sent as it is, without a parse mode: nothing in it is markup.

    Raises:
        Throttled, Retryable: not posted, may be tried again. Permanent: not posted, never will be.
        OutcomeUnknown: perhaps posted.
    """
    return _posted(lambda bot: bot.send_message(chat, outside.clean(text)))


def send_photo(chat: str, photo_url: str, caption: str) -> int:
    """Post a photo that Telegram fetches from `photo_url`, with a plain caption of at most 1024 characters.

    Raises:
        As `send_message`.
    """
    return _posted(lambda bot: bot.send_photo(chat, photo_url, caption=outside.clean(caption)))


def get_me() -> dict[str, Any]:
    """Who our bot is; a cheap way to see whether token and network work.

    Raises:
        Throttled, Retryable, Permanent.
    """
    try:
        return _call(lambda bot: bot.get_me()).to_dict()
    except OutcomeUnknown as error:
        raise Retryable(str(error)) from None  # it only reads


def _posted(make: "Callable[[Bot], Awaitable[Message]]") -> int:
    """Make a call that posts and return the number of the message."""
    message = _call(make)
    try:
        return outside.whole(message.message_id, least=0)
    except outside.Unfit as error:
        raise OutcomeUnknown(f"Telegram says that it posted, but not under which number: {error}") from None


def _call(make: "Callable[[Bot], Awaitable[T]]") -> T:
    from telegram.error import TelegramError

    try:
        return _line().call(make)
    except TelegramError as error:
        raise _translate(error) from None
    except TimeoutError:
        raise OutcomeUnknown(f"Telegram did not answer within {limits.DEADLINE_SECONDS:g} s") from None
    except outside.UNREADABLE as error:
        raise answers.unreadable(TELEGRAM, error, OutcomeUnknown) from None


def _translate(error: "TelegramError") -> CarsBotError:
    """The library's error as ours, for a call that would have changed something.

    What decides is how far the call got: refused by an answer that says so (nothing happened), never connected (nothing
    happened), or sent and not properly answered (unknown).
    """
    import httpx
    from telegram.error import InvalidToken

    from cars_bot.clients.telegram_http import Refused

    if isinstance(error, Refused):
        return _refusal(error.status, error.headers, error.body)
    if isinstance(error, InvalidToken):  # by the library, before anything is sent
        return Permanent(f"Telegram: {error!s:.200}; set TELEGRAM_BOT_TOKEN to the one @BotFather gave you")
    not_sent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.InvalidURL,
                httpx.UnsupportedProtocol)  # fmt: skip
    kind = Retryable if isinstance(error.__cause__, not_sent) else OutcomeUnknown
    return kind(f"Telegram: {outside.clean(f'{error!s:.200}')}")


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> CarsBotError:
    """Telegram's own words are in `description`, its wait in `parameters`; a proxy's page has neither."""
    try:
        answer = outside.parse(body)
    except outside.Unfit:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    parameters = answer.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    said = answer.get("description")
    if moved := parameters.get("migrate_to_chat_id"):
        said = f"{said}; the chat's new id is {moved}"
    return answers.meaning(TELEGRAM, status, headers, said, wait=parameters.get("retry_after"))


@per_process
def _line(where: Settings) -> "BotLine":
    from cars_bot.clients.telegram_http import BotLine

    return BotLine(where)

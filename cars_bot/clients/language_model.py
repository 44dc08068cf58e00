"""What the language model does for us: is a post a car for sale, what does it offer, how to describe it.

Every answer is checked here: a model may send anything. What does not fit is Retryable: the next answer may fit.
"""

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from cars_bot.boundary import outside
from cars_bot.clients import limits
from cars_bot.clients.per_process import per_process
from cars_bot.errors import CarsBotError, Permanent, Retryable, Throttled
from cars_bot.settings import Settings, settings

if TYPE_CHECKING:
    from openai import OpenAI, OpenAIError

THROTTLED_SECONDS = 5.0  # when the service does not say how long
UNFINISHED = {
    "length": "it reached its length limit in the middle",
    "content_filter": "the service's content filter cut it off",
}
MOST_PHONES = 10
LONGEST_REASON = 500  # characters
LONGEST_DESCRIPTION = 2_000  # characters; a message on Telegram has room for 4,096
WORDS = 100  # characters of a name in an answer: a make, a model, a city

CLASSIFY = """
You read posts of Telegram channels, in Russian or English. Decide whether the post offers a particular car for sale.
Wanted ads, services, spare parts, rental, news, jokes and spam are not sales. Give a short reason.
""".strip()
EXTRACT = """
You read a Telegram post that offers a car, in Russian or English, and fill in the form. Of several cars take the
first one offered. make and model: usual Latin spelling. mileage_km: kilometres, miles converted. price: the full
number, never a down payment. currency: ISO 4217 code. city: usual English name. phones: E.164, in the post's order.
telegram: the seller's @handle. null where the post does not say.
""".strip()
DESCRIBE = """
You write for a channel about cars. From the JSON of a car and its seller's post write a description of at most three
sentences, in the post's language. Facts of the post only; no contacts and no links.
""".strip()


class _Answer(BaseModel):
    """Base of everything the model fills in: no more fields, no other types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Classification(_Answer):
    """Whether a post offers a car for sale, and why we think so."""

    is_sale: bool
    reason: str

    @field_validator("reason")
    @classmethod
    def _short(cls, reason: str) -> str:
        return reason if len(reason) <= LONGEST_REASON else reason[: LONGEST_REASON - 1] + "…"


POSSIBLE = {"year": (1885, 2100), "mileage_km": (0, 10_000_000), "price": (0, 10**12)}


class CarData(_Answer):
    """A car as a post offers it; null where the post does not say."""

    make: str | None
    model: str | None
    year: int | None
    mileage_km: int | None
    price: int | None
    currency: str | None
    city: str | None
    phones: list[str]
    telegram: str | None

    @field_validator("year", "mileage_km", "price")
    @classmethod
    def _possible(cls, number: int | None, info: ValidationInfo) -> int | None:
        """A number that no car can have is as good as none."""
        return outside.whole(number, *POSSIBLE[str(info.field_name)])

    @field_validator("make", "model", "city")
    @classmethod
    def _as_name(cls, name: str | None) -> str | None:
        return name[:WORDS] if name else None

    @field_validator("phones")
    @classmethod
    def _as_e164(cls, phones: list[str]) -> list[str]:
        """Only possible numbers, each once, in one form: a model does not reliably keep to it."""
        numbers = (to_e164(phone) for phone in phones[: 10 * MOST_PHONES])
        return list(dict.fromkeys(number for number in numbers if number is not None))[:MOST_PHONES]

    @field_validator("currency")
    @classmethod
    def _as_code(cls, currency: str | None) -> str | None:
        return currency.upper() if currency and re.fullmatch("[A-Za-z]{3}", currency) else None

    @field_validator("telegram")
    @classmethod
    def _as_handle(cls, handle: str | None) -> str | None:
        name = outside.handle(handle or "")
        return name if re.fullmatch(r"@[A-Za-z0-9_]{1,64}", name) else None


A = TypeVar("A", bound=_Answer)


def classify(text: str) -> Classification:
    """Decide whether `text` offers a car for sale."""
    return _fill_in("classify_post", Classification, CLASSIFY, text)


def extract(text: str) -> CarData:
    """Read the car out of a post that offers one."""
    return _fill_in("car_data", CarData, EXTRACT, text)


def describe(car: CarData, text: str) -> str:
    """Write a short description of the car for the channel.

    Raises:
        Retryable: it is far longer than was asked for.
    """
    question = json.dumps({"car": car.model_dump(), "post": text}, ensure_ascii=False)
    try:
        return outside.short_enough(_ask(DESCRIBE, question, None).strip(), LONGEST_DESCRIPTION)
    except ValueError as error:
        raise Retryable(f"the model's description {error}") from None


def to_e164(phone: str) -> str | None:
    """`8 (912) 345-67-89` -> `+79123456789`; None if it cannot be a phone number. Without a + it is read as Russian."""
    import phonenumbers

    try:
        number = phonenumbers.parse(phone, "RU")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _fill_in(schema_name: str, form: type[A], instruction: str, text: str) -> A:
    """Ask for an answer that fits `form` and read it.

    Raises:
        Retryable: it does not fit.
    """
    schema = {"name": schema_name, "strict": True, "schema": form.model_json_schema()}
    content = _ask(instruction, text, {"type": "json_schema", "json_schema": schema})
    try:
        return form.model_validate(outside.cleaned(json.loads(content, object_pairs_hook=outside.each_name_once)))
    except ValidationError as error:
        raise Retryable(f"the model's answer does not fit {schema_name}: {error.error_count()} errors") from None
    except (ValueError, RecursionError) as error:
        raise Retryable(f"the model's answer to {schema_name} cannot be read as JSON: {error!s:.100}") from None


def _ask(instruction: str, question: str, response_format: dict[str, Any] | None) -> str:
    """One question, one answer.

    Raises:
        Throttled, Retryable, Permanent: as `_translate` says; Permanent also if the model declines.
    """
    import openai

    extra: dict[str, Any] = {} if response_format is None else {"response_format": response_format}
    try:
        completion = _client().chat.completions.create(
            model=settings().openai_model,
            messages=[{"role": "system", "content": instruction}, {"role": "user", "content": outside.clean(question)}],
            temperature=0,
            **extra,
        )
        choice = completion.choices[0]
        refusal, content = choice.message.refusal, _text(choice.message.content)
        ended = choice.finish_reason
    except openai.OpenAIError as error:
        raise _translate(error) from None
    except (*outside.UNREADABLE, limits.LimitExceeded) as error:
        raise Retryable(f"the language model's answer is unreadable: {error!r:.200}") from None
    if refusal:
        raise Permanent(f"the language model declined: {outside.clean(str(refusal)):.200}")
    if ended not in (None, "stop"):
        why = UNFINISHED.get(ended, "it did not finish its answer")
        raise Permanent(f"the language model's answer cannot be used: {why} (finish_reason {str(ended)!r:.40})")
    if not content:
        raise Retryable("the language model answered nothing")
    return outside.clean(content)


def _text(content: Any) -> str:
    """An answer's text, also where it comes in parts.

    Raises:
        TypeError, LookupError: it is something else than text.
    """
    if content is None or isinstance(content, str):
        return content or ""
    return "".join([part["text"] if isinstance(part, dict) else part.text for part in content])


def _translate(error: "OpenAIError") -> CarsBotError:
    """The library's error as ours. Asking changes nothing out there, so a lost answer is simply asked for again."""
    import openai

    if isinstance(error, openai.RateLimitError):
        if error.code == "insufficient_quota":
            return Permanent("OpenAI: the account's quota is used up; see its billing page")
        return Throttled("OpenAI: rate limit", outside.told_to_wait(error.response.headers, THROTTLED_SECONDS))
    if isinstance(error, openai.APIStatusError):
        text = f"OpenAI answered {error.status_code}: {error.message:.200}"
        passing = error.status_code >= 500 or error.status_code in (408, 409)
        return Retryable(text) if passing else Permanent(text)
    return Retryable(f"OpenAI: {error!r:.200}")


@per_process
def _client(where: Settings) -> "OpenAI":
    from cars_bot.clients import openai_http

    return openai_http.build(where)

"""What the language model does for us: is a post a car for sale, what does it offer, how to describe it.

Every answer is checked here: a model may send anything. What does not fit is Retryable: the next answer may fit.
"""

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, field_validator

from cars_bot import outside
from cars_bot.clients import answers, limits
from cars_bot.clients.per_process import per_process
from cars_bot.errors import CarsBotError, Permanent, Retryable
from cars_bot.settings import Settings, settings

if TYPE_CHECKING:
    from openai import OpenAI, OpenAIError

OPENAI = answers.Service("OpenAI", throttled_seconds=5.0, passing=(408, 409))
WHOLE = ("stop", None)  # some services that speak OpenAI's language leave the reason out
STOPPED = {
    "length": "it reached the limit of its length",
    "content_filter": "the service's filter cut it off",
}
LONGEST_NAME, LONGEST_REASON = 100, 500  # characters
LONGEST_DESCRIPTION = 2_000  # characters; a message on Telegram has 4,096
MOST_PHONES = 50


def _from_to(least: int, most: int) -> AfterValidator:
    # A function of ours, so that the range is not in the schema: not every model's service knows the words for it.
    return AfterValidator(lambda value: outside.whole(value, least, most))


Name = Annotated[str, AfterValidator(lambda value: outside.within(value, LONGEST_NAME))]

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
    reason: Annotated[str, AfterValidator(lambda value: outside.shortened(value, LONGEST_REASON))]


class CarData(_Answer):
    """A car as a post offers it; null where the post does not say."""

    make: Name | None
    model: Name | None
    year: Annotated[int, _from_to(1880, 2100)] | None
    mileage_km: Annotated[int, _from_to(0, 10**8)] | None
    price: Annotated[int, _from_to(0, 10**15)] | None
    currency: str | None
    city: Name | None
    phones: list[str]
    telegram: str | None

    @field_validator("phones")
    @classmethod
    def _as_e164(cls, phones: list[str]) -> list[str]:
        """Only possible numbers, each once, in one form: a model does not reliably keep to it."""
        if len(phones) > MOST_PHONES:
            raise outside.Unfit(f"{len(phones):,} numbers; at most {MOST_PHONES} are possible")
        numbers = (to_e164(phone) for phone in phones)
        return list(dict.fromkeys(number for number in numbers if number is not None))

    @field_validator("currency")
    @classmethod
    def _as_code(cls, currency: str | None) -> str | None:
        return currency.upper() if currency and re.fullmatch("[A-Za-z]{3}", currency) else None

    @field_validator("telegram")
    @classmethod
    def _as_handle(cls, handle: str | None) -> str | None:
        name = outside.handle(handle or "")
        return name if re.fullmatch(r"@\w{1,64}", name) else None


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
        return outside.within(_ask(DESCRIBE, question, None).strip(), LONGEST_DESCRIPTION)
    except outside.Unfit as error:
        raise Retryable(f"the model's description is too long: {error}") from None


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
        return form.model_validate(outside.parse(content))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'answer'}: {e['msg']}" for e in error.errors()[:5])
        raise Retryable(f"the model's answer does not fit {schema_name}: {outside.shortened(wrong, 500)}") from None
    except outside.Unfit as error:
        raise Retryable(f"the model's answer does not fit {schema_name}: {error}") from None


def _ask(instruction: str, question: str, response_format: dict[str, Any] | None) -> str:
    """One question, one answer.

    Raises:
        Throttled, Retryable, Permanent: as `_translate` and `_content` say.
    """
    import openai

    extra: dict[str, Any] = {} if response_format is None else {"response_format": response_format}
    messages: Any = [
        {"role": "system", "content": instruction},
        {"role": "user", "content": outside.clean(question)},
    ]
    try:
        completion = _client().chat.completions.create(
            model=settings().openai_model, messages=messages, temperature=0, **extra
        )
        return _content(completion.choices[0])
    except openai.OpenAIError as error:
        raise _translate(error) from None
    except (*outside.UNREADABLE, limits.LimitExceeded) as error:
        raise answers.unreadable(OPENAI, error, Retryable) from None


def _content(choice: Any) -> str:
    """The text of a whole answer. Half of one is none: it would be published like that.

    Raises:
        Permanent: the model declined, was stopped, or gave no message; with the same question it would do so again.
        Retryable: the answer is empty, or of a shape that nobody knows.
    """
    message, stopped_by = choice.message, choice.finish_reason
    if message is None:
        raise Permanent(f"the language model gave no message (finish_reason {outside.clean(repr(stopped_by)):.40})")
    if refusal := message.refusal or _joined(message.content, "refusal"):
        raise Permanent(f"the language model declined: {outside.clean(str(refusal)):.200}")
    if stopped_by in STOPPED:
        raise Permanent(f"the language model's answer is not whole: {STOPPED[stopped_by]} (finish_reason {stopped_by})")
    if stopped_by not in WHOLE:
        raise Retryable(f"the language model stopped for a reason unknown here: {outside.clean(repr(stopped_by)):.40}")
    content = message.content if isinstance(message.content, str | None) else _joined(message.content, "text")
    if not content or not content.strip():
        raise Retryable("the language model answered nothing")
    return str(outside.clean(content))


def _joined(content: Any, kind: str) -> str:
    """The texts of one kind out of a content that comes in parts: `[{"type": "text", "text": "…"}, …]`."""
    if not isinstance(content, list):
        return ""
    parts = [part if isinstance(part, dict) else part.model_dump() for part in content]
    if unknown := {part.get("type") for part in parts} - {"text", "refusal"}:
        raise outside.Unfit(f"content of the type {unknown.pop()!r}")
    return "".join(str(part[kind]) for part in parts if part["type"] == kind)


def _translate(error: "OpenAIError") -> CarsBotError:
    """The library's error as ours. Asking changes nothing out there, so a lost answer is simply asked for again."""
    import openai

    if isinstance(error, openai.APIStatusError):
        if isinstance(error, openai.RateLimitError) and error.code == "insufficient_quota":
            return Permanent("OpenAI: the account's quota is used up; see its billing page")
        return answers.meaning(OPENAI, error.status_code, error.response.headers, error.message, lost=Retryable)
    return Retryable(f"OpenAI: {outside.clean(f'{error!r:.200}')}")


@per_process
def _client(where: Settings) -> "OpenAI":
    from cars_bot.clients import openai_http

    return openai_http.build(where)

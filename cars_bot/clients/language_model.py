"""Language model: it classifies a post, extracts the car that the post offers, and describes the car.

A model may send anything, so every answer is checked. An answer that does not fit is Retryable: the next one may fit.
"""

import json
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from cars_bot.boundary import outside
from cars_bot.clients import call_limits
from cars_bot.clients.forms import CarData, Classification, Form
from cars_bot.clients.per_process import per_process
from cars_bot.errors import CarsBotError, Permanent, Retryable, Throttled
from cars_bot.settings import Settings, settings

if TYPE_CHECKING:
    from openai import OpenAI, OpenAIError

F = TypeVar("F", bound=Form)
THROTTLED_SECONDS = 5.0  # the wait if the service does not say how long
UNFINISHED = {
    "length": "it reached its length limit in the middle",
    "content_filter": "the service's content filter cut it off",
}
LONGEST_DESCRIPTION = 2_000  # characters; a message on Telegram has room for 4,096

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


def classify(text: str) -> Classification:
    """Decide whether `text` offers a car for sale."""
    return _fill_in("classify_post", Classification, CLASSIFY, text)


def extract(text: str) -> CarData:
    """Extract the car from a post that offers one."""
    return _fill_in("car_data", CarData, EXTRACT, text)


def describe(car: CarData, text: str) -> str:
    """Write a short description of the car for the channel.

    Raises:
        Retryable: the answer is far longer than the prompt allows.
    """
    question = json.dumps({"car": car.model_dump(), "post": text}, ensure_ascii=False)
    try:
        return outside.short_enough(_ask(DESCRIBE, question, None).strip(), LONGEST_DESCRIPTION)
    except ValueError as error:
        raise Retryable(f"the model's description {error}") from None


def _fill_in(schema_name: str, form: type[F], instruction: str, text: str) -> F:
    """Ask for an answer that fits `form`, and check it.

    Raises:
        Retryable: the answer does not fit.
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
    """Send one question and return the answer.

    Raises:
        Throttled, Retryable, Permanent: see `_translate`.
        Permanent: also if the model declines or does not finish.
        Retryable: also if the answer is empty or unreadable.
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
    except (*outside.UNREADABLE, call_limits.LimitExceeded) as error:
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
    """Return an answer's text. It may come in parts.

    Raises:
        TypeError, LookupError, AttributeError: the content is not text.
    """
    if content is None or isinstance(content, str):
        return content or ""
    return "".join([part["text"] if isinstance(part, dict) else part.text for part in content])


def _translate(error: "OpenAIError") -> CarsBotError:
    """Return the library's error as ours. A question changes nothing outside, so a lost answer is Retryable."""
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

"""Forms that the language model fills in: a classification of a post, and the data of a car.

A model may send anything, so each field is checked here. An impossible value of one field becomes null. A wrong type or
an unknown field makes the whole answer unfit.
"""

import re

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from cars_bot.boundary import outside

POSSIBLE = {"year": (1885, 2100), "mileage_km": (0, 10_000_000), "price": (0, 10**12)}
MOST_PHONES = 10
LONGEST_REASON = 500  # characters
LONGEST_NAME = 100  # characters of a make, a model or a city


class Form(BaseModel):
    """Base of all forms: strict types, and no fields but the declared ones."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Classification(Form):
    """Decision whether a post offers a car for sale, with a reason."""

    is_sale: bool
    reason: str

    @field_validator("reason")
    @classmethod
    def _short(cls, reason: str) -> str:
        return reason if len(reason) <= LONGEST_REASON else reason[: LONGEST_REASON - 1] + "…"


class CarData(Form):
    """A car as a post offers it. null means that the post does not say."""

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
        """Return the number, or None if no car can have it."""
        return outside.whole(number, *POSSIBLE[str(info.field_name)])

    @field_validator("make", "model", "city")
    @classmethod
    def _as_name(cls, name: str | None) -> str | None:
        return name[:LONGEST_NAME] if name else None

    @field_validator("phones")
    @classmethod
    def _as_e164(cls, phones: list[str]) -> list[str]:
        """Return the possible numbers, each once and as E.164. The prompt asks for E.164; a model may not obey."""
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


def to_e164(phone: str) -> str | None:
    """Return `8 (912) 345-67-89` as `+79123456789`. None if no phone can have the number.

    A number without a + counts as Russian.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(phone, "RU")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

"""Price that the seller asks, and not an instalment, a down payment, a repair bill, an old price or another number."""

import re
from dataclasses import dataclass
from itertools import pairwise

from outside_world.language.numbers.quantities import Quantity
from outside_world.language.words.phrases import WORD_STARTS, any_of
from outside_world.language.words.text import Text

CURRENCY_OF = {
    "RU": "RUB", "KZ": "KZT", "BY": "BYN", "UA": "UAH", "GE": "GEL", "AM": "AMD", "AZ": "AZN", "UZ": "UZS",
    "KG": "KGS", "TJ": "TJS", "MD": "MDL", "TM": "TMT", "MN": "MNT", "US": "USD", "GB": "GBP", "CA": "CAD",
    "AU": "AUD", "NZ": "NZD", "AE": "AED", "SA": "SAR", "QA": "QAR", "KW": "KWD", "BH": "BHD", "OM": "OMR",
    "PL": "PLN", "CZ": "CZK", "HU": "HUF", "RO": "RON", "BG": "BGN", "RS": "RSD", "SE": "SEK", "NO": "NOK",
    "DK": "DKK", "CH": "CHF", "TR": "TRY", "IL": "ILS", "CN": "CNY", "JP": "JPY", "KR": "KRW", "IN": "INR",
    "EG": "EGP", "TH": "THB", "ZA": "ZAR", "NG": "NGN", "KE": "KES",
    "DE": "EUR", "AT": "EUR", "FR": "EUR", "IT": "EUR", "ES": "EUR", "PT": "EUR", "NL": "EUR", "BE": "EUR",
    "FI": "EUR", "IE": "EUR", "EE": "EUR", "LV": "EUR", "LT": "EUR", "SK": "EUR", "SI": "EUR", "GR": "EUR",
    "CY": "EUR", "HR": "EUR", "ME": "EUR",
}  # fmt: skip
# Below the first figure a bare number must mean thousands. Above the second it is no price of a car.
_RANGES: dict[str | None, tuple[float, float]] = {
    "RUB": (15_000, 100_000_000), "KZT": (100_000, 400_000_000), "UZS": (1_000_000, 9_000_000_000),
    "AMD": (100_000, 200_000_000), "KGS": (20_000, 50_000_000), "UAH": (5_000, 30_000_000), "JPY": (30_000, 90_000_000),
    "KRW": (300_000, 900_000_000), "INR": (20_000, 90_000_000), "CZK": (2_000, 9_000_000), "HUF": (50_000, 90_000_000),
}  # fmt: skip
_ANY_RANGE = (150, 900_000_000)
_THOUSANDS_MEANT = ("RUB", "KZT", "UZS", "AMD", "KGS", None)
_LABEL = re.compile(
    WORD_STARTS + any_of("prices", "label") + f"(?: {any_of('prices', 'between label and number')})*"
    + r"[\s:=~≈,.\-(!]*$"
)  # fmt: skip
PRICE_LABEL = re.compile(any_of("prices", "said outright") + r"[^\d\n]{0,25}$")
_NEW_PRICE = re.compile(WORD_STARTS + any_of("prices", "new price") + r"(?:[\s:!,-]*(?:цена|price))?[\s:!,-]*$")
NOT_ASKED = re.compile(
    WORD_STARTS + any_of("prices", "something else") + f"(?: {any_of('prices', 'between that and number')})*"
    + r"[\s:=~≈\-(]*$"
)  # fmt: skip
_AFTER_ASKED = re.compile(r"\s?[,.;(!]?\s?" + any_of("prices", "after: asked"))
_AFTER_ELSE = re.compile(
    rf"\s?(?:/|в|за|per|a|p)\s?\.?{any_of('prices', 'period')}|\s?{any_of('prices', 'after: something else')}"
)
_ENDS_SENTENCE = re.compile(r"\. [А-ЯA-Z][а-яa-z]")
_ARROW_AFTER = re.compile(r"\s?(?:->|=>|>>|-->)\s?")
DEAREST_IN_BYN = 500_000
SAID_SO = 3.5  # from this score on, a currency or a label says that it is the price


@dataclass(frozen=True)
class Price:
    """The price asked. `score`: the points for the quantity being the price."""

    amount: int
    currency: str | None
    score: float
    quantity: Quantity


def find_price(text: Text, quantities: list[Quantity], country: str | None, used: Quantity | None) -> Price | None:
    """Return the likeliest price. `used`: the quantity of the mileage."""
    found: list[Price] = []
    for quantity in quantities:
        before, after = text.before(quantity.start, 60), text.after(quantity.end, 24)
        new_price = _NEW_PRICE.search(before) is not None
        if _ENDS_SENTENCE.match(text.norm, quantity.end - 1):
            after = ""  # "940 т.р. Скидка ..."
        possible = quantity is not used and (quantity.unit is None or quantity.is_money)
        if not possible or _AFTER_ELSE.match(after) or (NOT_ASKED.search(before) and not new_price):
            continue
        score = _score(quantity, before, after, new_price)
        currency = quantity.unit if quantity.is_money else CURRENCY_OF.get(country or "")
        if country == "BY" and currency == "RUB" and quantity.value < DEAREST_IN_BYN:
            currency = "BYN"  # in Belarus "рубль" is their own rouble
        amount = _amount(quantity, currency, score)
        if score >= 1 and amount is not None:
            score -= 9 * bool(_ARROW_AFTER.match(after))  # the amount after the arrow is the new price
            found.append(Price(amount, currency, score, quantity))
    struck_out = [first for first, second in pairwise(found) if _replaces(text, first, second)]
    return max(
        (price for price in found if price not in struck_out),
        key=lambda price: (price.score, -price.quantity.start),
        default=None,
    )


def _replaces(text: Text, first: Price, second: Price) -> bool:
    """True if the second price replaces the first: "$16,500 $14,900"."""
    between = text.low[first.quantity.end : second.quantity.start]
    return not between.strip(" \n-~/|") and second.amount < first.amount and first.currency == second.currency


def _score(quantity: Quantity, before: str, after: str, new_price: bool) -> float:
    """Return the points for the quantity being the price."""
    score = 4.0 * quantity.is_money + 1.5 * quantity.scaled + 5 * new_price + 2 * bool(_AFTER_ASKED.match(after))
    if PRICE_LABEL.search(before):
        score += 4
    elif _LABEL.search(before):
        score += 2.5
    if quantity.value >= 10_000 and quantity.grouped:
        score += 1.5
    elif quantity.value >= 20_000 and not quantity.decimal:
        score += 1
    if re.search(r"\([^)]*$", before):
        score -= 3  # an aside
    if quantity.digits == 4 and 1950 <= quantity.value <= 2030 and not quantity.is_money:
        score -= 5  # a year
    if not quantity.scaled and quantity.decimal and score < 4:
        score -= 4  # an engine
    if not quantity.scaled and not quantity.decimal and not quantity.is_money and quantity.value < 100:
        score -= 3
    return score


def full_amount(quantity: Quantity, currency: str | None) -> int | None:
    """Return the amount that a bare number means as a price: 650 are 650,000 roubles."""
    return _amount(quantity, currency, SAID_SO)


def _amount(quantity: Quantity, currency: str | None, score: float) -> int | None:
    """Return the full amount: "цена 650" of a car in Russia is 650,000, and "1.35" are millions."""
    lowest, highest = _RANGES.get(currency, _ANY_RANGE)
    value = quantity.value
    thousands = currency in _THOUSANDS_MEANT
    if value < lowest and not quantity.scaled and score >= 2:
        if thousands and quantity.decimal and value < 30:
            value *= 1_000_000
        elif (thousands and 10 <= value < 20_000) or (quantity.decimal and value < 100):
            value *= 1_000
    elif value < lowest and quantity.scaled and currency in ("KZT", "UZS"):
        value *= 1_000
    while value > highest and quantity.grouped:  # "70 2 150 000": the first group does not belong to it
        groups = f"{int(value):,}".split(",")
        value = float("".join(groups[1:]) or 0)
    return round(value) if lowest <= value <= highest else None

"""What the seller asks, told from instalments, down payments, repair bills, old prices and everything countable."""

import re
from dataclasses import dataclass

from outside_world.language.phrases import WORD_STARTS, any_of
from outside_world.language.quantities import Quantity
from outside_world.language.text import Text

CURRENCY_OF = {
    "RU": "RUB", "KZ": "KZT", "BY": "BYN", "UA": "UAH", "GE": "GEL", "AM": "AMD", "AZ": "AZN", "UZ": "UZS", "KG": "KGS",
    "TJ": "TJS", "MD": "MDL", "US": "USD", "GB": "GBP", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "AE": "AED", "PL": "PLN", "CZ": "CZK",
    "HU": "HUF", "RO": "RON", "BG": "BGN", "RS": "RSD", "SE": "SEK", "NO": "NOK", "DK": "DKK", "CH": "CHF", "TR": "TRY",
    "IL": "ILS", "CN": "CNY", "JP": "JPY", "KR": "KRW", "IN": "INR", "SA": "SAR", "QA": "QAR", "KW": "KWD", "BH": "BHD",
    "OM": "OMR", "EG": "EGP", "TH": "THB", "ZA": "ZAR", "NG": "NGN", "KE": "KES", "MN": "MNT", "TM": "TMT",
    **dict.fromkeys(["DE", "AT", "FR", "IT", "ES", "PT", "NL", "BE", "FI", "IE", "EE", "LV", "LT", "SK", "SI", "GR", "CY", "HR", "ME"], "EUR"),
}  # fmt: skip
# Below the first figure a bare number must mean thousands; beyond the second it is no price of a car.
_RANGE: dict[str | None, tuple[float, float]] = {
    "RUB": (15_000, 100_000_000), "KZT": (100_000, 400_000_000), "UZS": (1_000_000, 9_000_000_000), "AMD": (100_000, 200_000_000),
    "KGS": (20_000, 50_000_000), "UAH": (5_000, 30_000_000), None: (150, 900_000_000),
    "JPY": (30_000, 90_000_000), "KRW": (300_000, 900_000_000), "INR": (20_000, 90_000_000), "CZK": (2_000, 9_000_000), "HUF": (50_000, 90_000_000),
}  # fmt: skip
_THOUSANDS_MEANT = ("RUB", "KZT", "UZS", "AMD", "KGS")
_LABEL = re.compile(
    WORD_STARTS + any_of("prices", "label") + f"(?: {any_of('prices', 'between label and number')})*" + r"[\s:=~≈,.\-(!]*$"
)
PRICE_LABEL = re.compile(r"(?:\bcena|\btsena|цен\w*|цин\w*|стоимост\w*|price|prise|asking|ценник\w*|прошу|баг\w*)[^\d\n]{0,25}$")
_NEW_PRICE = re.compile(WORD_STARTS + any_of("prices", "new price") + r"(?:[\s:!,-]*(?:цена|price))?[\s:!,-]*$")
NOT_ASKED = re.compile(
    WORD_STARTS + any_of("prices", "something else") + f"(?: {any_of('prices', 'between that and number')})*" + r"[\s:=~≈\-(]*$"
)
_AFTER_GOOD = re.compile(r"\s?[,.;(!]?\s?" + any_of("prices", "after: asked"))
_AFTER_NOT = re.compile(
    r"\s?(?:/|в|за|per|a|p)\s?\.?(?:мес|month|mo\b|mth|cm\b|week|wk|день|сутки|day|час)|\s?" + any_of("prices", "after: something else")
)


SAID_SO = 3.5  # a score of at least this: a currency or a label says that it is the price


@dataclass(frozen=True)
class Price:
    """What is asked; `score` says how surely the quantity is the price."""

    amount: int
    currency: str | None
    score: float
    quantity: Quantity


def find_price(
    text: Text, quantities: list[Quantity], country: str | None, used: Quantity | None
) -> Price | None:
    """The likeliest price; `used` is the mileage's quantity."""
    local = CURRENCY_OF.get(country or "")
    found: list[Price] = []
    for index, quantity in enumerate(quantities):
        if quantity is used or not (quantity.unit is None or quantity.is_money):
            continue
        before, after = text.before(quantity.start, 60), text.after(quantity.end, 24)
        new_price = _NEW_PRICE.search(before) is not None
        if _AFTER_NOT.match(after) or (NOT_ASKED.search(before) and not new_price):
            continue
        score = _score(quantity, before, after, new_price)
        currency = quantity.unit if quantity.is_money else local
        amount = _amount(quantity, currency, score)
        if score < 1 or amount is None:
            continue
        if re.match(r"\s?(?:->|=>|>>|-->)\s?", after) and index + 1 < len(quantities):
            score -= 4  # what follows the arrow is asked now
        found.append(Price(amount, currency, score, quantity))
    for earlier, later in zip(found, found[1:], strict=False):
        between = text.low[earlier.quantity.end : later.quantity.start]
        if not between.strip(" \n-~/|") and later.amount < earlier.amount and earlier.currency == later.currency:
            found.remove(earlier)  # "$16,500 $14,900": struck out and written anew
    return max(found, key=lambda price: (price.score, -price.quantity.start), default=None)


def _score(quantity: Quantity, before: str, after: str, new_price: bool) -> float:
    score = 0.0
    if quantity.is_money:
        score += 4
    if PRICE_LABEL.search(before):
        score += 4
    elif _LABEL.search(before):
        score += 2.5
    if _AFTER_GOOD.match(after):
        score += 2
    if quantity.scaled:
        score += 1.5
    if new_price:
        score += 5
    if re.search(r"\([^)]*$", before):
        score -= 3  # an aside
    if quantity.grouped and quantity.value >= 10_000:
        score += 1.5
    elif quantity.value >= 20_000 and not quantity.decimal:
        score += 1
    if quantity.decimal and not quantity.scaled and score < 4:
        score -= 4  # an engine
    if quantity.digits == 4 and 1950 <= quantity.value <= 2030 and not quantity.is_money:
        score -= 5  # a year
    if quantity.value < 100 and not quantity.scaled and not quantity.decimal and not quantity.is_money:
        score -= 3
    return score


def _amount(quantity: Quantity, currency: str | None, score: float) -> int | None:
    """The full amount: "цена 650" of a car in Russia is 650,000, "1.35" are millions."""
    lowest, highest = _RANGE.get(currency, _RANGE[None])
    value = quantity.value
    in_thousands = currency in _THOUSANDS_MEANT or currency is None
    if value < lowest and not quantity.scaled and score >= 2:
        if in_thousands and quantity.decimal and value < 30:
            value *= 1_000_000
        elif (in_thousands and 10 <= value < 20_000) or (value < 100 and quantity.decimal):
            value *= 1_000
    elif quantity.scaled and in_thousands and value < lowest and currency in ("KZT", "UZS"):
        value *= 1_000
    while value > highest and quantity.grouped:
        value = float(str(int(value))[len(str(int(value))) % 3 or 3 :] or 0)  # "70 2 150 000": the first group is no part of it
    return round(value) if lowest <= value <= highest else None

"""Quantities: every number of a post with its multiplier and unit: "120 т.км", "1 млн 250 тыс", "$12.5k", "850 т.р.".

A number gets a value, a unit and a place here. Other modules decide its meaning for the car.
"""

import re
from dataclasses import dataclass

from outside_world.language.words.phrases import any_of, sections
from outside_world.language.words.text import Text

MOST = 300
BEYOND_ANYTHING = 1e15  # a page of digits would become infinity
CURRENCIES = frozenset(name for name in sections("units") if len(name) == 3 and name.isupper())
_NUMBER = re.compile(
    r"(?<![\w+#№])(?<!\d[.,])(?:(?<!\d[/-])|(?<=/)(?=\d{3}))"  # "187000/520000" are two numbers
    r"(\d{1,3}(?:[ .,']\d{3})+(?!\d)|\d+[.,]\d+|\d+)"
)
_THOUSAND = re.compile(r"\+?\s?" + any_of("units", "thousand"))
_MILLION = re.compile(r"\s?" + any_of("units", "million"))
# "1 млн 250 тыс", and "1 млн 250", as people say prices.
_THOUSANDS_AFTER_MILLION = re.compile(
    r"[\s,и]{0,3}(\d{1,3})(?:\s?(?:тыс\w*\.?|тыщ\w*|тис\w*\.?|мын\w*|т\.?(?=\s?р)|к\b)"
    r"|(?<=\d{3})(?=[\s.,!;)]|$)(?!\s?(?:км|km|000)))"
)
_DASH_FOR_CENTS = re.compile(r"[,./]\s?-{1,2}(?=\s|$)")  # "15.900,- EUR"
_UNIT = re.compile(
    r"\+?\s?[-(]?\s?(?:"  # "200+ ткм"
    + "|".join(
        f"(?P<{name}>{any_of('units', name)})" for name in sections("units") if name not in ("thousand", "million")
    )
    + ")"
)
# Multipliers that include a unit.
_UNIT_IN_SCALE = (("RUB", re.compile(r"тр$|т/р$|тыр")), ("km", re.compile(r"ткм$|tkm$")))
_SIGN_OF_NEXT = re.compile(r"[\s,]{1,2}[$£€]\d")  # "71k £13,750"
# A currency's sign or code before the number.
_SIGNS = {
    "us$": "USD", "c$": "CAD", "cad$": "CAD", "a$": "AUD", "$": "USD", "€": "EUR", "£": "GBP", "₽": "RUB", "₸": "KZT",
    "₴": "UAH", "₾": "GEL", "¥": "JPY", "₪": "ILS", "₺": "TRY", "₼": "AZN", "₹": "INR", "֏": "AMD", "₩": "KRW",
    "dh": "AED", "dhs": "AED", "dh.": "AED", "dhs.": "AED",
    **{code.lower(): code for code in CURRENCIES},
}  # fmt: skip
_SIGN_BEFORE = re.compile(
    r"(?<!\d)(" + "|".join(sorted(map(re.escape, _SIGNS), key=len, reverse=True)) + r"|(?:us|cad) \$)\s?:?\s?$"
)


@dataclass(frozen=True)
class Quantity:
    """A number. `value` includes the multiplier; `scaled`: it had one. `digits`: the number of digits in the text.

    `decimal`: it has a decimal part. `grouped`: its thousands stand apart.
    """

    value: float
    start: int
    end: int
    unit: str | None
    scaled: bool
    decimal: bool
    grouped: bool
    digits: int

    @property
    def is_money(self) -> bool:
        """True if its unit is a currency."""
        return self.unit in CURRENCIES


def find_quantities(text: Text) -> list[Quantity]:
    """Return every number, in order, up to `MOST`. No real post has more."""
    found: list[Quantity] = []
    position = 0
    while len(found) < MOST and (match := _NUMBER.search(text.low, position)):
        found.append(_read(text.low, match))
        position = max(match.end(), found[-1].end)
    return found


def _read(low: str, match: re.Match[str]) -> Quantity:
    written = match[1]
    value, decimal, grouped = _value(written, low[match.end() :])
    value = min(value, BEYOND_ANYTHING)
    scale, end = _scale(low, match.end(), value)
    if scale == 1_000_000 and not decimal and (thousands := _THOUSANDS_AFTER_MILLION.match(low, end)):
        value += float(thousands[1]) / 1_000
        end = thousands.end()
    if dash := _DASH_FOR_CENTS.match(low, end):
        end = dash.end()
    scale_word = low[match.end() : end]
    unit = next((name for name, pattern in _UNIT_IN_SCALE if scale > 1 and pattern.search(scale_word)), None)
    after = _UNIT.match(low, end)
    if unit is None and after and not _SIGN_OF_NEXT.match(low, end):
        unit, end = after.lastgroup, after.end()
    start = match.start()
    sign = _SIGN_BEFORE.search(low, max(0, start - 8), start)
    if sign and unit not in ("km", "mi", "monthly"):
        unit, start = _SIGNS[sign[1].replace(" ", "")], sign.start()
    digits = sum(character.isdigit() for character in written)
    return Quantity(round(value * scale, 2), start, end, unit, scale > 1, decimal, grouped, digits)


def _value(written: str, following: str) -> tuple[float, bool, bool]:
    """Return the number, and whether it has a decimal part, and whether its thousands stand apart."""
    if re.fullmatch(r"\d{1,3}(?:[ .,']\d{3})+", written):
        one_group = re.fullmatch(r"(\d{1,3})[.,](\d{3})", written)
        if one_group and (one_group[1] == "0" or _MILLION.match(following)):  # "1.250 млн"
            return float(f"{one_group[1]}.{one_group[2]}"), True, False
        return float(re.sub(r"\D", "", written)), False, True
    if re.fullmatch(r"\d+[.,]\d+", written):
        return float(written.replace(",", ".")), True, False
    return float(written), False, False


def _scale(low: str, end: int, value: float) -> tuple[int, int]:
    """Return the multiplier after a number, and the end of it."""
    million = _MILLION.match(low, end)
    if million and value < 1_000:
        return 1_000_000, million.end()
    looks_like_year = 1950 <= value <= 2030 and low[end : end + 1] == " "  # in "2015 к …" the "к" is a preposition
    thousand = _THOUSAND.match(low, end)
    if thousand and value < 10_000 and not looks_like_year:
        return 1_000, thousand.end()
    return 1, end

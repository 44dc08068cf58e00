"""Reads every number of a post with its multiplier and unit: "120 т.км", "1 млн 250 тыс", "$12.5k", "850 т.р.".

What a number means for the car is decided elsewhere; here it only gets a value, a unit and a place.
"""

import re
from dataclasses import dataclass

from outside_world.language.phrases import any_of, sections
from outside_world.language.text import Text

CURRENCIES = frozenset(name for name in sections("units") if len(name) == 3 and name.isupper())
_UNITS = [
    (name, re.compile(rf"\s?[-(]?\s?{any_of('units', name)}"))
    for name in sections("units")
    if name not in ("thousand", "million")
]
_THOUSAND = re.compile(r"\s?" + any_of("units", "thousand"))
_MILLION = re.compile(r"\s?" + any_of("units", "million"))
# A currency's sign or code before the number.
_SIGN_BEFORE = re.compile(
    r"(us\s?\$|c\$|cad\s?\$|a\$|\$|€|£|₽|₸|₴|₾|¥|₪|₺|₼|₹|֏|aed|dhs?\.?|usd|eur|gbp|kzt|pln|czk|gel|uah|byn|rub|chf|sek|nok|dkk|uzs|azn|amd|kgs|ngn|zar|sar|qar)\s?:?\s?$"
)
_SIGNS = {
    "us$": "USD", "c$": "CAD", "cad$": "CAD", "a$": "AUD", "$": "USD", "€": "EUR", "£": "GBP", "₽": "RUB", "₸": "KZT", "₴": "UAH",
    "₾": "GEL", "¥": "JPY", "₪": "ILS", "₺": "TRY", "₼": "AZN", "₹": "INR", "֏": "AMD", "dh": "AED", "dhs": "AED", "dhs.": "AED", "dh.": "AED",
}  # fmt: skip
_NUMBER = re.compile(
    r"(?<![\w+#№])(?<!\d[.,/-])"
    r"(\d{1,3}(?:[ .,']\d{3})+(?![\d])|\d+[.,]\d+|\d+)"
)

@dataclass(frozen=True)
class Quantity:
    """A number as written: `value` with the multiplier applied; `digits` how many the bare number had."""

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
        """Whether a currency stands beside it."""
        return self.unit in CURRENCIES


def find_quantities(text: Text) -> list[Quantity]:
    """Every number, in order."""
    found: list[Quantity] = []
    position = 0
    while match := _NUMBER.search(text.low, position):
        found.append(_read(text.low, match))
        position = max(match.end(), found[-1].end)
    return found


def _read(low: str, match: re.Match[str]) -> Quantity:
    written = match[1]
    value, decimal, grouped = _value(written, low[match.end() :])
    end, scale = match.end(), 1
    if value < 1000 and (million := _MILLION.match(low, end)):
        end, scale = million.end(), 1_000_000
        rest = re.compile(r"[\s,и]{0,3}(\d{1,3})(?:\s?(?:тыс\w*\.?|тыщ\w*|т\.?\s?р\b\.?|к\b|тис\w*\.?|мын\w*)|(?=[\s.,!;)]|$)(?!\s?(?:км|km|000)))").match(low, end)
        if rest and not decimal:
            value += float(rest[1]) / 1000 if len(rest[1]) == 3 or "т" in rest[0] or "к" in rest[0] else 0
            end = rest.end() if len(rest[1]) == 3 or "т" in rest[0] or "к" in rest[0] else end
            end = end - 1 if low[end - 1] == "р" else end
    elif value < 10_000 and not _looks_like_year(value, low, end) and (thousand := _THOUSAND.match(low, end)):
        end, scale = thousand.end(), 1_000
    if dash := re.compile(r"(?:[,.]|/)\s?-{1,2}(?=\s|$)").match(low, end):
        end = dash.end()  # "15.900,- EUR"
    unit = None
    if scale == 1_000 and re.search(r"тр$|т/р$|тыр", low[match.end() : end]):
        unit = "RUB"
    elif scale == 1_000 and re.search(r"(?:ткм|tkm)$", low[match.end() : end]):
        unit = "km"
    else:
        for name, pattern in _UNITS:
            if after := pattern.match(low, end):
                unit, end = name, after.end()
                break
    start = match.start()
    sign = _SIGN_BEFORE.search(low, max(0, start - 8), start)
    if sign and (unit is None or unit not in ("km", "mi", "monthly")) and not low[:sign.start()].endswith(tuple("0123456789")):
        code = sign[1].replace(" ", "")
        unit, start = _SIGNS.get(code, code.upper()), sign.start()
    return Quantity(round(value * scale, 2), start, end, unit, scale > 1, decimal, grouped, len(re.sub(r"\D", "", written)))


def _looks_like_year(value: float, low: str, end: int) -> bool:
    """"2015 к …" is a year and a preposition, "2015к" is money."""
    return 1950 <= value <= 2030 and low[end : end + 1] == " "


def _value(written: str, following: str) -> tuple[float, bool, bool]:
    """The number, whether it has a decimal part, whether its thousands are set apart."""
    if re.fullmatch(r"\d{1,3}(?:[ .,']\d{3})+", written):
        single = re.fullmatch(r"(\d{1,3})[.,](\d{3})", written)
        if single and (single[1] == "0" or re.match(r"\s?(?:млн|миллион|лям|mln|million|m\b)", following)):
            return float(f"{single[1]}.{single[2]}"), True, False
        return float(re.sub(r"\D", "", written)), False, True
    if re.fullmatch(r"\d+[.,]\d+", written):
        return float(written.replace(",", ".")), True, False
    return float(written), False, False

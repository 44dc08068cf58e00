"""Mileage of the car in kilometres, and not a service interval, fuel use, a range, a price or a guarantee."""

import re

from outside_world.language.numbers.prices import NOT_ASKED, PRICE_LABEL, SAID_SO, Price
from outside_world.language.numbers.quantities import Quantity
from outside_world.language.words.phrases import WORD_STARTS, any_of
from outside_world.language.words.text import Text

KM_PER_MILE = 1.609344  # exactly, by definition
FARTHEST_KM = 1_500_000
FARTHEST_UNNAMED_KM = 800_000
MILE_COUNTRIES = ("US", "GB")
NEW_SINCE = 2023  # a car of this year or later may have run less than 1,000 km
_LABEL = re.compile(
    WORD_STARTS + any_of("mileage", "label") + f"(?: {any_of('mileage', 'between label and number')})*"
    + r"[\s:=~≈,.\-(]*$"
)  # fmt: skip
_LABEL_FAR = re.compile(r"(?:^|[^а-я ] ?)пробег[^.,;:\d\n]{0,30}$")  # "пробег после капремонта 1200"
_LABEL_AFTER = re.compile(r"\s?[-(]?\s?(?:\w+ )?" + any_of("mileage", "label after"))
_SOMETHING_ELSE = re.compile(
    WORD_STARTS + any_of("mileage", "something else") + r"(?: \w+)?"
    + f"(?: {any_of('mileage', 'between that and number')})*" + r"[\s:~(\-]*$"
)  # fmt: skip
_AFTER_ELSE = re.compile(r"\s?" + any_of("mileage", "after: something else"))
_PRICE_WITHHELD = re.compile(any_of("mileage", "price withheld"))
_MILES_SAID = re.compile(r"\bmiles?\b|\bмил[ьяеи]\b|\bmi\b")
_KM_SAID = re.compile(r"\bkms?\b|км")


def find_mileage(
    text: Text, quantities: list[Quantity], country: str | None, year: int | None
) -> tuple[int, Quantity] | None:
    """Return the kilometres and their quantity, if a unit or a label says that it is the mileage."""
    found: list[tuple[int, int, int, Quantity]] = []
    for quantity in quantities:
        before, after = text.before(quantity.start, 60), text.after(quantity.end, 24)
        labelled = bool(_LABEL.search(before) or _LABEL_FAR.search(before) or _LABEL_AFTER.match(after))
        possible = quantity.unit in ("km", "mi") or (quantity.unit is None and labelled)
        if not possible or _is_something_else(before, after, labelled):
            continue
        kilometres = _kilometres(text, quantity, country, year)
        if kilometres is not None:
            score = 4 * labelled + 2 * (quantity.unit is not None) + (quantity.value >= 1000)
            score += bool(re.search(r"общ\w+ пробег|total", before)) - 2 * bool(re.search(r"\([^)]*$", before))
            found.append((score, -quantity.start, kilometres, quantity))
    if not found:
        return None
    _, _, kilometres, quantity = max(found, key=lambda each: each[:2])
    return kilometres, quantity


def find_unnamed_mileage(
    text: Text, quantities: list[Quantity], country: str | None, price: Price | None
) -> tuple[int, Quantity] | None:
    """Return a mileage without a name, as in "2011, 171 тысяча, 970 тыс".

    It is the first big number beside the price. If no price is certain, it is the smallest one.
    """
    bare = [quantity for quantity in quantities if _may_be_unnamed(text, quantity)]
    said_so = price is not None and (price.score >= SAID_SO or price.quantity not in bare)
    candidates = [quantity for quantity in bare if not (said_so and price and quantity is price.quantity)]
    withheld = price is None or _PRICE_WITHHELD.search(text.low) is not None
    if not candidates or (len(candidates) == 1 and not said_so and not withheld):
        return None
    chosen = candidates[0] if said_so else min(candidates, key=lambda quantity: quantity.value)
    kilometres = _kilometres(text, chosen, country, None)
    return (kilometres, chosen) if kilometres is not None and kilometres <= FARTHEST_UNNAMED_KM else None


def _may_be_unnamed(text: Text, quantity: Quantity) -> bool:
    before, after = text.before(quantity.start, 60), text.after(quantity.end, 24)
    is_big = quantity.value >= 1_000 and (quantity.scaled or quantity.grouped or quantity.digits >= 5)
    is_free = not _is_something_else(before, after, labelled=False) and not NOT_ASKED.search(before)
    is_price = PRICE_LABEL.search(before[-40:]) is not None
    return quantity.unit is None and is_big and not quantity.decimal and is_free and not is_price


def is_of_something_else(before: str, after: str) -> bool:
    """Return whether a distance without a label is a service interval, a range, a guarantee …"""
    return _is_something_else(before, after, labelled=False)


def _is_something_else(before: str, after: str, labelled: bool) -> bool:
    return bool((not labelled and _SOMETHING_ELSE.search(before)) or _AFTER_ELSE.match(after))


def _kilometres(text: Text, quantity: Quantity, country: str | None, year: int | None) -> int | None:
    """Return the kilometres: "пробег 137" is in thousands, and "52k" of a British car in miles."""
    value, miles = quantity.value, quantity.unit == "mi"
    if quantity.unit is None:
        near = text.before(quantity.start, 40) + " " + text.after(quantity.end, 14)
        miles = bool(_MILES_SAID.search(near)) or (country in MILE_COUNTRIES and not _KM_SAID.search(near))
    if not quantity.scaled and not quantity.grouped:
        is_new = (year or 0) >= NEW_SINCE or "нов" in text.low[:200]
        as_written = quantity.unit == "km" and is_new
        if quantity.unit == "mi":
            value *= 1000 if 20 <= value < 400 else 1
        elif value < 1000 and not as_written:
            value *= 1000
    kilometres = round(value * KM_PER_MILE) if miles else round(value)
    return kilometres if 0 <= kilometres <= FARTHEST_KM else None

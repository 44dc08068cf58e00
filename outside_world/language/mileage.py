"""How far the car has run, in kilometres; told from service intervals, fuel use, range, prices and guarantees."""

import re

from outside_world.language.phrases import WORD_STARTS, any_of
from outside_world.language.prices import NOT_ASKED, PRICE_LABEL, SAID_SO, Price
from outside_world.language.quantities import Quantity
from outside_world.language.text import Text

_PRICE_WITHHELD = re.compile(any_of("mileage", "price withheld"))
KM_PER_MILE = 1.609344  # exactly, by definition
FARTHEST_KM = 1_500_000
MILE_COUNTRIES = ("US", "GB")
_LABEL = re.compile(
    WORD_STARTS + any_of("mileage", "label") + f"(?: {any_of('mileage', 'between label and number')})*" + r"[\s:=~≈,.\-(]*$"
)
_NOT = re.compile(
    WORD_STARTS + any_of("mileage", "something else") + r"(?: \w+)?"
    + f"(?: {any_of('mileage', 'between that and number')})*" + r"[\s:~(\-]*$"
)  # fmt: skip
_AFTER_NOT = re.compile(r"\s?" + any_of("mileage", "after: something else"))
_LABEL_FAR = re.compile(r"(?:^|[^а-я ] ?)пробег[^.,;:\d\n]{0,30}$")  # "пробег после капремонта 1200"
_LABEL_AFTER = re.compile(r"\s?[-(]?\s?(?:\w+ )?(?:пробег\w*|пробиг\w*|mileage|on (?:the )?(?:clock|odo\w*|dash)|накат\w*)")
_MILES_SAID = re.compile(r"\bmiles?\b|\bмил[ьяеи]\b|\bmi\b")


def find_mileage(
    text: Text, quantities: list[Quantity], country: str | None, year: int | None
) -> tuple[int | None, Quantity | None]:
    """Kilometres and the quantity they were read from."""
    found: list[tuple[int, int, int, Quantity]] = []
    for quantity in quantities:
        if quantity.is_money or quantity.unit not in (None, "km", "mi"):
            continue
        before = text.before(quantity.start, 60)
        labelled = _LABEL.search(before) is not None or _LABEL_FAR.search(before) is not None or _LABEL_AFTER.match(text.after(quantity.end, 24)) is not None
        if quantity.unit is None and not labelled:
            continue
        if (not labelled and _NOT.search(before)) or _AFTER_NOT.match(text.after(quantity.end, 24)):
            continue
        if quantity.unit is None and re.match(r"\s?(?:г\.?|год)", text.after(quantity.end, 6)):
            continue
        kilometres = _kilometres(text, quantity, country, year)
        if kilometres is not None:
            score = 4 * labelled + 2 * (quantity.unit is not None) + (quantity.value >= 1000)
            score += bool(re.search(r"общ\w+ пробег|total", before)) - 2 * bool(re.search(r"\([^)]*$", before))
            found.append((score, -quantity.start, kilometres, quantity))
    if not found:
        return None, None
    best = max(found, key=lambda each: each[:2])
    return best[2], best[3]


def find_unnamed_mileage(
    text: Text, quantities: list[Quantity], country: str | None, price: Price | None
) -> tuple[int, Quantity] | None:
    """The mileage nobody calls so: "2011, 171 тысяча, 970 тыс" - the other big number, or the smallest."""
    bare = [
        quantity
        for quantity in quantities
        if quantity.unit is None
        and quantity.value >= 1_000
        and (quantity.scaled or quantity.grouped or quantity.digits >= 5)
        and not quantity.decimal
        and not (_NOT.search(text.before(quantity.start, 60)) or _AFTER_NOT.match(text.after(quantity.end, 24)))
        and not NOT_ASKED.search(text.before(quantity.start, 60))
        and not PRICE_LABEL.search(text.before(quantity.start, 40))
    ]
    said_so = price is not None and (price.score >= SAID_SO or price.quantity not in bare)
    candidates = [quantity for quantity in bare if not (said_so and price and quantity is price.quantity)]
    withheld = price is None or _PRICE_WITHHELD.search(text.low) is not None
    if not candidates or (len(candidates) == 1 and not said_so and not withheld):
        return None
    chosen = candidates[0] if said_so else min(candidates, key=lambda quantity: quantity.value)
    kilometres = _kilometres(text, chosen, country, None)
    return (kilometres, chosen) if kilometres is not None and kilometres <= 800_000 else None


def _kilometres(text: Text, quantity: Quantity, country: str | None, year: int | None) -> int | None:
    value = quantity.value
    if quantity.unit == "mi":
        miles = True
    elif quantity.unit == "km":
        miles = False
    else:
        near = text.before(quantity.start, 40) + " " + text.after(quantity.end, 14)
        miles = _MILES_SAID.search(near) is not None or (country in MILE_COUNTRIES and not re.search(r"\bkms?\b|км", near))
    if not quantity.scaled and not quantity.grouped and value < 1000 and quantity.unit != "mi":
        # "пробег 137": in thousands, unless the car is new and the unit is there
        as_written = quantity.unit == "km" and (value < 1 or (year or 0) >= 2023 or "нов" in text.low[:200])
        value = value if as_written or value == 0 else value * 1000
    elif not quantity.scaled and quantity.unit == "mi" and value < 400 and (quantity.decimal or value >= 20):
        value *= 1000
    kilometres = round(value * KM_PER_MILE) if miles else round(value)
    return kilometres if 0 <= kilometres <= FARTHEST_KM else None

"""Bare numbers: figures without a label or a unit. Their size and their order tell the mileage and the price.

"2014 1.6 142 690" is a year, an engine, a mileage and a price. This reader comes after the readers that use labels and
units, and fills their gaps.
"""

import re
from dataclasses import replace

from outside_world.language.numbers.mileage import FARTHEST_UNNAMED_KM, MILE_COUNTRIES, is_of_something_else
from outside_world.language.numbers.prices import CURRENCY_OF, NOT_ASKED, SAID_SO, Price, full_amount
from outside_world.language.numbers.quantities import Quantity
from outside_world.language.numbers.years import NEWEST
from outside_world.language.words.phrases import any_of
from outside_world.language.words.text import BLOT, Text

FEWEST_TYPED, MOST_TYPED = 15, 600  # kilometres in thousands, typed without "thousand"
MOST_COMPARED = 12  # figures of one post
SPLIT_BEYOND = 100_000_000  # "165 780т" is two figures and no price
_NOT_HERE = re.compile(
    r"(?:кузов\w*|двиг\w*|двс|мотор|движ\w*|дорест\w*|рестайл\w*|№|#|дом|кв|ул\w*|euro?|евро)[\s.:-]*$"
)
_COUNTED = re.compile(r"\s?-?(?:кузов\w*|мотор\w*|кобыл\w*|сил\w*|лошад\w*|кл\b|двиг\w*|body|серия|серии|[a-zйя]\b)")
_TIDY_END = re.compile(rf"\s*(?:$|[,.;/!|)+\-(*{BLOT}]|[а-яa-z]|(?<=\s)\d)")
_BETWEEN = re.compile(r"[\s,./|\-;]{1,3}(?:цена|ц\.|за)?[\s:]*")
_WITHHELD = re.compile(any_of("mileage", "price withheld"))


def read_bare_numbers(
    text: Text,
    quantities: list[Quantity],
    country: str | None,
    year: int | None,
    mileage: tuple[int, Quantity] | None,
    price: Price | None,
) -> tuple[tuple[int, Quantity] | None, Price | None]:
    """Return the mileage and the price. A known one stays; bare figures fill in the other."""
    currency = CURRENCY_OF.get(country or "")
    unsure = price is None or (price.score < SAID_SO and price.quantity.unit is None)
    bare = [q for q in _split(quantities, year) if _is_bare(text, q)][:MOST_COMPARED]
    if mileage is None and unsure and not _WITHHELD.search(text.low):
        pair = _best_pair(bare, currency, country, year)
        if pair:
            kilometres, by, amount, asked = pair
            return (kilometres, by), Price(amount, currency, 1, asked)
    if mileage is not None and price is None and not _WITHHELD.search(text.low):
        return mileage, _lone_price(text, [q for q in bare if q.start != mileage[1].start], currency)
    if mileage is None and price is not None and not unsure and country not in MILE_COUNTRIES:
        return _beside_price(text, bare, price), price
    return mileage, price


def _split(quantities: list[Quantity], year: int | None) -> list[Quantity]:
    """Split a figure of two groups, such as "142 690", if it is more likely two: a recent car is not that cheap."""
    found = []
    for q in quantities:
        first, second = divmod(int(q.value / (1_000 if q.scaled else 1)), 1_000)
        two_groups = q.unit is None and q.grouped and 5 <= q.digits <= 6
        alone = not q.scaled and (year or 0) >= 2005 and 30 <= first <= 400 and second >= 150 and second % 5 == 0
        others = [other for other in quantities if other is not q and other.unit is None and other.value >= 20_000]
        if two_groups and ((q.scaled and q.value > SPLIT_BEYOND) or (alone and not others)):
            middle = q.start + len(str(first))
            found.append(replace(q, value=first, end=middle, scaled=False, grouped=False, digits=len(str(first))))
            value = second * (1_000 if q.scaled else 1)
            found.append(replace(q, value=value, start=middle + 1, grouped=False, digits=3))
        else:
            found.append(q)
    return found


def _is_bare(text: Text, q: Quantity) -> bool:
    before, after = text.before(q.start, 60), text.after(q.end, 24)
    is_year = q.digits == 4 and 1950 <= q.value <= 2030 and not q.scaled
    free = not (is_of_something_else(before, after) or NOT_ASKED.search(before) or _NOT_HERE.search(before))
    tidy = _TIDY_END.match(after) is not None and _COUNTED.match(after) is None
    return q.unit is None and not is_year and free and tidy and not re.search(r"\([^)]*$", before)


def _typed_kilometres(q: Quantity) -> int | None:
    if q.decimal:
        return None
    if q.scaled or q.value >= 10_000:
        return round(q.value) if 1_000 <= q.value <= FARTHEST_UNNAMED_KM else None
    return round(q.value * 1_000) if FEWEST_TYPED <= q.value <= MOST_TYPED else None


def _typed_amount(q: Quantity, currency: str | None) -> int | None:
    if q.decimal and not q.scaled and not re.fullmatch(r"\d\.\d\d", f"{q.value:g}"):
        return None  # an engine, not millions
    if not q.decimal and not q.scaled and q.value < 60:
        return None
    return full_amount(q, currency)


def _best_pair(
    bare: list[Quantity], currency: str | None, country: str | None, year: int | None
) -> tuple[int, Quantity, int, Quantity] | None:
    found: list[tuple[float, int, int, Quantity, int, Quantity]] = []
    for index, first in enumerate(bare):
        for other, second in enumerate(bare[index + 1 :]):
            for by, asked, in_order in ((first, second, 1.0), (second, first, 0.0)):
                kilometres, amount = _typed_kilometres(by), _typed_amount(asked, currency)
                if kilometres is None or amount is None or country in MILE_COUNTRIES:
                    continue
                plain = 1.5 * (by.scaled or by.value >= 10_000)
                plausible = in_order - other + plain + _plausibility(kilometres, amount, currency, year)
                found.append((plausible, -index, kilometres, by, amount, asked))
    if not found:
        return None
    plausible, _, kilometres, by, amount, asked = max(found, key=lambda each: each[:2])
    return (kilometres, by, amount, asked) if plausible > -3 else None


def _plausibility(kilometres: int, amount: int, currency: str | None, year: int | None) -> float:
    points = 0.0
    age = max(1, NEWEST - year) if year else 10
    points -= 2 * (kilometres > 450_000) + (kilometres > 60_000 * age) + (kilometres < 1_500 * age)
    if currency == "RUB":
        points -= 2 * (not 40_000 <= amount <= 15_000_000) + 2 * (age < 14 and amount < 250_000)
        points -= amount < kilometres
    return points


def _lone_price(text: Text, bare: list[Quantity], currency: str | None) -> Price | None:
    """Return the last figure that is left, as in "... 165 ткм, 620, Омск"."""
    for q in reversed(bare):
        amount = _typed_amount(q, currency)
        ends = re.match(rf"\s*(?:$|[,.;!|)+(/\n{BLOT}]|торг|срочн|отда|прош|[а-я]{{3,}})", text.after(q.end, 24))
        if amount is not None and ends and (q.value >= 60 or q.decimal):
            return Price(amount, currency, 1, q)
    return None


def _beside_price(text: Text, bare: list[Quantity], price: Price) -> tuple[int, Quantity] | None:
    """Return the figure just before the price, "123 цена 790 т.р.", if it can be thousands of kilometres."""
    for q in bare:
        just_before = q.end <= price.quantity.start and _BETWEEN.fullmatch(text.low[q.end : price.quantity.start])
        kilometres = _typed_kilometres(q) if q.value >= 40 else None
        if just_before and kilometres is not None and q.start != price.quantity.start:
            return kilometres, q
    return None

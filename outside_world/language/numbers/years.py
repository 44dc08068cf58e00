"""The car's year, and not the year of a purchase, a service or an insurance, nor another number of four digits."""

import re

from outside_world.language.words.phrases import WORD_STARTS, any_of
from outside_world.language.words.text import Text

OLDEST, NEWEST = 1950, 2027
LOWEST_SCORE = -2
_MONTH = rf"\s?(?:{any_of('years', 'month')}\w*\.?)?"
_FULL = re.compile(
    rf"(?<![\d.,+/])(19[5-9]\d|20[0-2]\d)(?!\d)(?!\s?{any_of('years', 'after: no year')})(?![ .,]\d{{3}}\b)"
)
_SHORT = re.compile(
    r"(?<![\w.,])(?:'(\d\d)\b(?!\s?(?:000|k\b))|(\d\d)(?:г\b|\s?-?\s?" + any_of("years", "after two digits") + "))"
)
_PLATE = re.compile(r"(?<![\w.,'£$€])(0[2-9]|[12]\d|5[1-9]|6\d|7[0-5])[ -]?(?:plate|reg)\b")
_MONTH_YEAR = re.compile(r"(?<![\d./-])(?:0?[1-9]|1[0-2])[./](19[6-9]\d|20[0-2]\d)(?![\d./-])")
_DATE = re.compile(r"\b\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d\d)\b")
_BEFORE_CAR = re.compile(r"(?:^|\n|\bmy |\ba |\bselling |\bsale:? |прода\w+ )\s*'?(\d\d)\s+$")
_AFTER_BUILT = re.compile(r"\s?[-,(]?\s?" + any_of("years", "after: built"))
_BEFORE_BUILT = re.compile(
    WORD_STARTS + any_of("years", "before: built")
    + rf"(?: в| in)?\s?[:\-=.]?\s?(?:конец|начало|середина|end of)?{_MONTH}[\s'(]*$"
)  # fmt: skip
_BEFORE_ELSE = re.compile(
    WORD_STARTS + any_of("years", "before: something else")
    + rf"(?: \w+)?(?: (?:в|до|в конце|с|in|to|until|till|at|from|on))?{_MONTH}\s?['\s:.,(-]*$"
)  # fmt: skip
_RANGE_AFTER = re.compile(r"\s?(?:г\.?|год\w*)?\s?(?:-|по|/)\s?(?:19|20)\d\d")
# Ways to write a year -> points for that alone.
_FORMS = ((_FULL, 0), (_SHORT, 2), (_PLATE, 4), (_MONTH_YEAR, 1))


def find_year(text: Text, cars: list[tuple[int, int]], end: int) -> int | None:
    """Return the likeliest year in the first `end` characters. `cars`: the spans of car names, often beside a year."""
    found: list[tuple[int, int, int]] = []
    dates = [match.span() for match in _DATE.finditer(text.low)]
    for form, base in _FORMS:
        for match in form.finditer(text.low, 0, end):
            year = _year(next(group for group in match.groups() if group), form is _PLATE)
            in_a_date = any(start < match.end() and match.start() < stop for start, stop in dates)
            if OLDEST <= year <= NEWEST and not in_a_date:
                found.append((base + _score(text, match.start(), match.end(), cars), -match.start(), year))
    for car_start, _ in cars[:1]:
        before = _BEFORE_CAR.search(text.low, 0, min(car_start, end))  # "selling my 06 civic"
        if before:
            found.append((2, -before.start(), _year(before[1], False)))
    score, _, year = max(found, default=(LOWEST_SCORE - 1, 0, 0))
    return year if score >= LOWEST_SCORE else None


def _year(digits: str, plate: bool) -> int:
    """Return the full year: `2008`, `08` and the British plates `08` and `58` are all 2008."""
    number = int(digits)
    if number > 99:
        return number
    if plate:
        return 2000 + (number - 50 if number > 50 else number)
    return 2000 + number if number <= NEWEST - 2000 else 1900 + number


def _score(text: Text, start: int, end: int, cars: list[tuple[int, int]]) -> int:
    before, after = text.before(start, 40), text.after(end, 16)
    score = 0
    if _BEFORE_BUILT.search(before):
        score += 6
    elif _BEFORE_ELSE.search(before):
        score -= 6
    built = _AFTER_BUILT.match(after)
    if built:
        score += 5 if re.search(r"в\b|вып|my|model", built[0]) else 2
    nearness = _nearness_to_car(text, start, end, cars)
    if nearness < 4 and _RANGE_AFTER.match(after):
        score -= 1
    return score + nearness


def _nearness_to_car(text: Text, start: int, end: int, cars: list[tuple[int, int]]) -> int:
    for car_start, car_end in cars[:2]:
        if 0 <= start - car_end <= 30 and "\n" not in text.low[car_end:start]:
            return 4 if start - car_end <= 6 else 3
        if 0 <= car_start - end <= 16:
            return 4
    return 0

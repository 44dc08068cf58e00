"""The car's year, told from the years it was bought, serviced, insured, and from every other four-digit number."""

import re

from outside_world.language.phrases import WORD_STARTS, any_of
from outside_world.language.text import Text

OLDEST, NEWEST = 1950, 2027
_FULL = re.compile(r"(?<![\d.,+/])(19[5-9]\d|20[0-2]\d)(?![\d])(?!\s?(?:км|km|руб|₽|\$|€|mi\b|miles|л\.?с|hp|см|cc|usd|eur|rpm|об|кг|kg|шт|тыс|aed|£|000))(?![ .,]\d{3}\b)")
_SHORT = re.compile(r"(?<![\w.,])(?:'(\d\d)\b(?!\s?(?:000|k\b))|(\d\d)(?:г\b|\s?-?\s?(?:г\.?\s?в\b\.?|год[ау]?\b|г\.(?!\s?в\.?\s?собств)|го года|ого года|жыл\w*|р\.?в\b|model year|reg\b|plate\b)))")
_BEFORE_CAR = re.compile(r"(?:^|\n|\bmy |\ba |\bselling |\bsale:? |прода\w+ )\s*'?(\d\d)\s+$")
_PLATE = re.compile(r"(?<![\w.,'£$€])(0[2-9]|[12]\d|5[1-9]|6\d|7[0-5])[ -]?(?:plate|reg)\b")
_AFTER_GOOD = re.compile(r"\s?[-,(]?\s?" + any_of("years", "after: built"))
_MONTH = r"(?:янв|фев|март|апр|май|мая|июн|июл|авг|сен|окт|ноя|дек|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.?"
_BEFORE_GOOD = re.compile(
    WORD_STARTS + any_of("years", "before: built") + rf"(?: в| in)?\s?[:\-=.]?\s?(?:конец|начало|середина|end of)?\s?(?:{_MONTH})?[\s'(]*$"
)
_BEFORE_BAD = re.compile(
    WORD_STARTS + any_of("years", "before: something else")
    + rf"(?: \w+)?(?: (?:в|до|в конце|с|in|to|until|till|at|from|on))?\s?(?:{_MONTH})?\s?['\s:.,(-]*$"
)  # fmt: skip
_DATE = re.compile(r"\b\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d\d)\b")
_MONTH_YEAR = re.compile(r"(?<![\d./-])(?:0?[1-9]|1[0-2])[./](19[6-9]\d|20[0-2]\d)(?![\d./-])")


def find_year(text: Text, cars: list[tuple[int, int]], end: int) -> int | None:
    """The most likely year in the first `end` characters. `cars`: spans of car names; a year likes to stand by one."""
    found: list[tuple[int, int, int]] = []
    dates = [match.span() for match in _DATE.finditer(text.low)]
    for pattern, base in ((_FULL, 0), (_SHORT, 2), (_PLATE, 4), (_MONTH_YEAR, 1)):
        for match in pattern.finditer(text.low, 0, end):
            if any(start < match.end() and match.start() < stop for start, stop in dates):
                continue
            year = _year(next(group for group in match.groups() if group), pattern is _PLATE)
            if OLDEST <= year <= NEWEST:
                score = base + _score(text, match.start(), match.end(), cars)
                found.append((score, -match.start(), year))
    for car_start, _ in cars[:1]:
        if car_start < end and (match := _BEFORE_CAR.search(text.low, 0, car_start)):  # "selling my 06 civic"
            found.append((2, -match.start(), _year(match[1], False)))
    best = max(found, default=None)
    return best[2] if best and best[0] > -3 else None


def _year(digits: str, plate: bool) -> int:
    number = int(digits)
    if number > 99:
        return number
    if plate:
        return 2000 + (number - 50 if number > 50 else number)
    return 2000 + number if number <= NEWEST - 2000 else 1900 + number


def _score(text: Text, start: int, end: int, cars: list[tuple[int, int]]) -> int:
    before, after = text.before(start, 40), text.after(end, 16)
    score = 0
    if _BEFORE_GOOD.search(before):
        score += 6
    elif _BEFORE_BAD.search(before):
        score -= 6
    good = _AFTER_GOOD.match(after)
    if good:
        score += 2 + 3 * bool(re.search(r"в\b|вып|my|model", good[0]))
    for car_start, car_end in cars[:2]:
        if 0 <= start - car_end <= 30 and "\n" not in text.low[car_end:start]:
            score += 4 if start - car_end <= 6 else 3
            break
        if 0 <= car_start - end <= 16:
            score += 4
            break
    if re.match(r"\s?(?:г\.?|год\w*)?\s?(?:-|по|/)\s?(?:19|20)\d\d", after) and score < 4:
        score -= 1
    if re.search(r"^\s*$", before) and not cars:
        score += 1
    return score

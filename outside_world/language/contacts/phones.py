"""Phones of a post in international form. They may be written in any way and belong to many countries."""

import re
from dataclasses import dataclass

import phonenumbers

from outside_world.language.words.phrases import any_of
from outside_world.language.words.text import Text

MOST_DIGITS, FEWEST_DIGITS = 15, 8
LONGEST = 26  # characters of one number, separators included
# Countries to try when nothing tells the country of a national number.
REGIONS = (
    "RU", "KZ", "BY", "UA", "US", "GB", "AE", "DE", "PL", "GE", "AM", "UZ", "KG", "LT", "LV", "EE", "CZ", "ES", "IT",
    "FR",
)  # fmt: skip
_LABEL = re.compile(any_of("contacts", "phone") + r"[^\d\n]{0,25}$")
_DIGITS = re.compile(r"(?<!\w)(?<!\d[.,])\+?\(?\d[\d ()./-]{6,80}\d(?!\w)")
_LINK = re.compile(r"(?:wa\.me/|phone=|tel:|t\.me/)\+?(\d{9,15})")
_NOT_A_PHONE = re.compile(any_of("contacts", "no phone") + r"\W{0,4}$")
_MONEY_AFTER = re.compile(" ?" + any_of("contacts", "money follows"))
_LOOKS_LIKE_ONE = re.compile(r"[()]|\d[ -]\d+[ -]\d|^0")
_AMERICAN = re.compile(r"[2-9]\d{2}\.?[2-9]\d{2}\.?\d{4}")
_GROUPED_AMOUNT = re.compile(r"[1-9]\d{0,2}(?: \d{3})+")


@dataclass(frozen=True)
class Phone:
    """A number in E.164, its country, and its place in the text."""

    number: str
    country: str | None
    start: int
    end: int


def find_phones(text: Text, country: str | None) -> list[Phone]:
    """Return every phone once, in order of appearance. `country`: the likely country of the post."""
    found: dict[str, Phone] = {}
    for match in _LINK.finditer(text.low):
        _keep(found, _parse("+" + match[1], "RU", lenient=True), match.start(), match.end())
    for match in _DIGITS.finditer(text.low):
        position = match.start()
        while position < match.end():
            number, end = _number_at(text, position, match.end(), country, after_phone=bool(found))
            _keep(found, number, position, end)
            position = end if number else _next_group(text.low, position, match.end())
    return sorted(found.values(), key=lambda phone: phone.start)


def _keep(found: dict[str, Phone], number: phonenumbers.PhoneNumber | None, start: int, end: int) -> None:
    if number is not None:
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        found.setdefault(written, Phone(written, phonenumbers.region_code_for_number(number), start, end))


def _next_group(low: str, position: int, end: int) -> int:
    """Return the position where the next group of digits begins, after the one at `position`."""
    position += 1
    while position < end and low[position].isdigit():
        position += 1
    while position < end and not low[position].isdigit() and low[position] not in "+(":
        position += 1
    return position


def _number_at(
    text: Text, start: int, limit: int, country: str | None, after_phone: bool
) -> tuple[phonenumbers.PhoneNumber | None, int]:
    """Return the number that begins at `start`, and its end. The longest run of digit groups that makes one wins."""
    low, before = text.low, text.before(start, 40)
    if not re.match(r"\+|\(?\d", low[start:]) or _NOT_A_PHONE.search(before):
        return None, limit
    in_a_list = after_phone and re.search(r"[,;/и\n ]\s*$|^$", before) is not None
    labelled = in_a_list or _LABEL.search(before) is not None
    ends = [start + match.end() for match in re.finditer(r"\d+", low[start : min(limit, start + LONGEST)])]
    for end in reversed([end for end in ends if not low[end : end + 1].isdigit()]):
        written = low[start:end]
        digits = re.sub(r"\D", "", written)
        is_amount = _MONEY_AFTER.match(low[end : end + 8]) and not written.startswith("+")
        if FEWEST_DIGITS <= len(digits) <= MOST_DIGITS and not is_amount:
            number = _read(written, digits, country, labelled, text.is_cyrillic)
            if number is not None:
                return number, end
    return None, limit


def _read(
    written: str, digits: str, country: str | None, labelled: bool, cyrillic: bool
) -> phonenumbers.PhoneNumber | None:
    """Return the digits as a number of the country that fits best; None if they are hardly a phone."""
    if written.startswith("+"):
        return _parse(written, "RU", lenient=True)
    if digits.startswith("00"):
        return _parse("+" + digits[2:], "RU", lenient=False)
    if re.fullmatch(r"[78][3-9]\d{9}", digits) and (cyrillic or country in ("RU", "KZ", None)):
        return _parse("+7" + digits[1:], "RU", lenient=True)
    american = country in ("US", "CA") and _AMERICAN.fullmatch(written) is not None
    looks = _LOOKS_LIKE_ONE.search(written) and "." not in written
    foreign = len(digits) >= 11 and country not in (None, "US", "RU")
    amount = len(digits) < 9 and not labelled and _GROUPED_AMOUNT.fullmatch(written)
    if amount or not (american or labelled or looks or foreign):
        return None
    return _read_national(digits, country, cyrillic, labelled) or _read_without_plus(digits, country, labelled)


def _read_national(digits: str, country: str | None, cyrillic: bool, labelled: bool) -> phonenumbers.PhoneNumber | None:
    default = "RU" if cyrillic else "US"
    elsewhere = REGIONS if labelled and not country else ()
    for region in dict.fromkeys([country or default, default, *elsewhere]):
        number = _parse(digits, region, lenient=False)
        if number is not None:
            return number
    if (country == "US" and len(digits) in (10, 11)) or (country and re.fullmatch(r"0\d{9,10}", digits)):
        return _parse(digits, country, lenient=True)  # possible, though perhaps not in use
    return None


def _read_without_plus(digits: str, country: str | None, labelled: bool) -> phonenumbers.PhoneNumber | None:
    number = _parse("+" + digits, "RU", lenient=False) if len(digits) >= 11 else None
    at_home = number is not None and phonenumbers.region_code_for_number(number) == country
    return number if labelled or at_home else None


def _parse(written: str, region: str, lenient: bool) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    check = phonenumbers.is_possible_number if lenient else phonenumbers.is_valid_number
    return number if check(number) else None

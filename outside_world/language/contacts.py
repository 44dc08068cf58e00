"""The seller's phones and Telegram handle, told from the channel's own footer, e-mail and other networks."""

import re
from dataclasses import dataclass

import phonenumbers

from outside_world.language.phrases import any_of
from outside_world.language.text import Text

_LABEL = re.compile(any_of("contacts", "phone") + r"[^\d\n]{0,25}$")
_DIGITS = re.compile(r"(?<!\w)(?<!\d[.,])\+?\(?\d[\d ()./-]{6,80}\d(?!\w)")
_LINK = re.compile(r"(?:wa\.me/|phone=|tel:|t\.me/)\+?(\d{9,15})")
_NOT_A_PHONE = re.compile(r"(?:vin|вин|ин[нн]|огрн|птс|карт\w+|сч[её]т\w*|id:|лот|артикул|№|#|код)\W{0,4}$")
_MONEY_AFTER = re.compile(r" ?(?:₽|руб|р\.|\$|€|£|км\b|km\b|mi\b|miles|тыс|т\.|тенге|₸|грн|aed|usd|eur|г\.|год)")
_HANDLE = re.compile(r"(?<![\w.@/])@([a-z]\w{3,31})(?![\w.]*@)(?!\.\w)")
_TME = re.compile(r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.me|telegram\.dog)/(?!joinchat|\+|s/|c/|addstickers|share)([a-z]\w{3,31})(/\d+)?")
_OTHER_NETWORK = re.compile(r"(?:inst\w*|инст\w*|ig\b|insta|vk\b|вк\b|tiktok|тик\s?ток\w*|youtube|ютуб\w*|twitter|facebook|fb\b|snap\w*|дзен)[\s:\-/.@]{0,4}$")
_CHANNEL_BEFORE = re.compile(any_of("contacts", "channel") + r"[^@\n]{0,30}$")
_CHANNEL_NAME = re.compile(any_of("contacts", "channel name"))
_SELLER_BEFORE = re.compile(any_of("contacts", "seller") + r"[^\n]{0,25}$")
REGIONS = ("RU", "KZ", "BY", "UA", "US", "GB", "AE", "DE", "PL", "GE", "AM", "UZ", "KG", "LT", "LV", "EE", "CZ", "ES", "IT", "FR")


@dataclass(frozen=True)
class Phone:
    """A number in E.164, where it stands, and the country it belongs to."""

    number: str
    country: str | None
    start: int
    end: int


def find_phones(text: Text, country: str | None) -> list[Phone]:
    """Every phone in order of appearance, each once. `country` is where the post seems to be from."""
    found: dict[str, Phone] = {}
    for match in _LINK.finditer(text.low):
        _keep(found, _parse("+" + match[1], "RU", lenient=True), match.start(), match.end())
    for match in _DIGITS.finditer(text.low):
        position = match.start()
        while position < match.end():
            phone, end = _phone_at(text, position, match.end(), country, bool(found))
            if phone:
                _keep(found, phone, position, end)
            position = end if phone else _next_group(text.low, position, match.end())
    return sorted(found.values(), key=lambda phone: phone.start)


def _keep(found: dict[str, Phone], number: phonenumbers.PhoneNumber | None, start: int, end: int) -> None:
    if number is None:
        return
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    found.setdefault(written, Phone(written, phonenumbers.region_code_for_number(number), start, end))


def _next_group(low: str, position: int, end: int) -> int:
    """Where the next group of digits after the one at `position` begins."""
    position += 1
    while position < end and low[position].isdigit():
        position += 1
    while position < end and not low[position].isdigit() and low[position] not in "+(":
        position += 1
    return position


def _phone_at(
    text: Text, start: int, limit: int, country: str | None, has_phone: bool
) -> tuple[phonenumbers.PhoneNumber | None, int]:
    """The number that begins at `start`, and where it ends; the longest run of digit groups that is valid."""
    low = text.low
    before = text.before(start, 40)
    if not (low[start].isdigit() or low[start] in "+(") or _NOT_A_PHONE.search(before):
        return None, limit
    if low[start] == "(" and not low[start + 1 : start + 2].isdigit():
        return None, limit
    ends = [m.end() + start for m in re.finditer(r"\d(?!\d)", low[start : min(limit, start + 26)]) if not low[m.end() + start : m.end() + start + 1].isdigit()]
    labelled = bool(_LABEL.search(before)) or (has_phone and bool(re.search(r"[,;/и\n ]\s*$|^$", before)))
    for end in reversed(ends):
        written = low[start:end]
        digits = re.sub(r"\D", "", written)
        if not 8 <= len(digits) <= 15:
            continue
        if len(digits) < 15 and _MONEY_AFTER.match(low[end : end + 8]) and not written.startswith("+"):
            continue
        number = _read(written, digits, country, labelled, text.is_cyrillic)
        if number is not None:
            return number, end
    return None, ends[0] if ends else limit


def _read(
    written: str, digits: str, country: str | None, labelled: bool, cyrillic: bool
) -> phonenumbers.PhoneNumber | None:
    if written.startswith("+"):
        return _parse(written, "RU", lenient=True)
    if len(digits) == 11 and digits[0] in "78" and digits[1] in "3456789" and (cyrillic or country in ("RU", "KZ", None)):
        if digits[0] == "8" and country == "BY" and digits[1] == "0":
            return _parse(digits, "BY", lenient=False)
        return _parse("+7" + digits[1:], "RU", lenient=True)
    if len(digits) >= 11 and digits.startswith("00"):
        return _parse("+" + digits[2:], "RU", lenient=False)
    looks = labelled or (bool(re.search(r"[()]|\d[ -]\d+[ -]\d|^0", written)) and "." not in written)
    if country in ("US", "CA") and re.fullmatch(r"[2-9]\d{2}\.?[2-9]\d{2}\.?\d{4}", written):
        looks = True
    if len(digits) >= 11 and country not in (None, "US", "RU"):
        looks = True
    if not looks or (re.fullmatch(r"\d{1,3}(?: \d{3})+", written) and not (labelled or digits.startswith("0"))):
        return None
    for region in dict.fromkeys(filter(None, (country, "RU" if cyrillic else "US", *(() if country else REGIONS)))):
        number = _parse(digits, region, lenient=False)
        if number is not None:
            return number
        if region == country == "US" and len(digits) in (10, 11):
            return _parse(digits, "US", lenient=True)
    if country and digits.startswith("0") and len(digits) in (10, 11):
        return _parse(digits, country, lenient=True)
    if len(digits) >= 11:  # an international number without its plus
        number = _parse("+" + digits, "RU", lenient=False)
        if number and (labelled or phonenumbers.region_code_for_number(number) == country):
            return number
    return None


def _parse(written: str, region: str, lenient: bool) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    check = phonenumbers.is_possible_number if lenient else phonenumbers.is_valid_number
    return number if check(number) else None


def find_handle(text: Text) -> str | None:
    """The seller's @handle; None if only channels, bots or other networks are named."""
    best: tuple[int, int, str] | None = None
    for pattern in (_HANDLE, _TME):
        for match in pattern.finditer(text.low):
            score = _seller_score(text, match)
            if score > -2 and (best is None or (score, -match.start()) > best[:2]):
                best = (score, -match.start(), "@" + text.norm[match.start(1) : match.end(1)])
    return best[2] if best else None


def _seller_score(text: Text, match: re.Match[str]) -> int:
    before = text.before(match.start(), 60)
    line = text.low[text.line_start(match.start()) : text.line_end(match.start())]
    if _OTHER_NETWORK.search(before) or match[1].endswith("bot"):
        return -9
    if match.re is _TME and match[2]:
        return -9  # a link to a channel's message
    score = 0
    seller = _SELLER_BEFORE.search(before)
    if seller:
        score += 3
    channel = _CHANNEL_BEFORE.search(before)
    if channel and not (seller and seller.start() > channel.start()):
        score -= 5
    if _CHANNEL_NAME.search(match[1]):
        score -= 2 if not seller else 1
    if re.search(r"подпи[сш]\w+|subscribe|\bjoin\b|канал|channel", line) and not seller:
        score -= 4
    last_line = text.low.rstrip()[text.low.rstrip().rfind("\n") + 1 :]
    if line.strip() == last_line.strip() and not seller and re.fullmatch(r"\W*@\w+\W*", line):
        score -= 1 if "\n" in text.low.strip() else 0
    return score

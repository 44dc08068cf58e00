"""First offer of a post: where it ends, and which figures belong to names."""

import re
from itertools import pairwise

from outside_world.language.names.cars import Mention
from outside_world.language.words.text import Text

IMPLAUSIBLE = 20_000_000  # "70 2 150 000" is a generation and a price, not one number
# Digits that are no quantity.
NO_NUMBERS_IN = re.compile(
    r"https?://\S+|www\.\S+|\bt\.me/\S+|[\w.+-]{0,64}@[\w.-]{1,64}"  # links, addresses, handles
    r"|\b(?=[a-z0-9]*\d)(?=[a-z0-9]*[a-z])[a-z0-9]{11,17}\b"  # VIN
    r"|\b\d{1,2}[:]\d{2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b"  # times, dates
    r"|\b\d{3}\s?/\s?\d{2}\s?/?\s?[rр]?\s?\d{2}\b|\b[rр]\s?\d{2}\b"  # tyres
    r"|\b[авекмнорстухabekmhopctyx] ?\d{3} ?[авекмнорстухabekmhopctyx]{2}(?: ?\d{2,3})?\b"  # number plates
    r"|\b24\s?[/x]\s?7\b|\b\d{1,2}\s?[x*]\s?\d\b|\b\d+\s?-?\s?(?:й|ая|ый|ое|го|st|nd|rd|th)\b"  # 24/7, 4x4, ordinals
)
_NEXT_ITEM = re.compile(r"(?:\bи|\band|\bплюс|&|\+|;|[2-9]\s?[).]|также|втор\w+|second|also|еще)\W{0,3}$")
_YEAR_NEXT = re.compile(r"[\s,(]{0,3}(?:19|20)\d\d\b")
_GENERATION = re.compile(
    r"[ -]?(\d{1,3})(?![\d.,]\d)"
    r"(?!\s?(?:к\b|k\b|т\b|т\.|тыс|млн|лям|км|km|mi|л\b|л\.|%|г\b|г\.|год|\$|€|£|₽|руб|р\b|000|лет|plate|reg))\b"
)
_GROUPED = re.compile(r"[ -]?\d{1,3}((?: \d{3})+)(?!\d)")


def end_of_first_offer(text: Text, cars: list[Mention]) -> int:
    """Return the position where the second car on offer begins. Its figures do not belong to the first one."""
    offered = [car for car in cars if car.model and car.known]
    for first, second in pairwise(offered):
        if first.make == second.make and (first.model or "")[:4] == (second.model or "")[:4]:
            continue
        line = text.line_start(second.start)
        begins_line = line > first.end and len(re.findall(r"\w+", text.low[line : second.start])) <= 2
        named_next = _NEXT_ITEM.search(text.before(second.start, 20)) or _YEAR_NEXT.match(text.low, second.end)
        if (begins_line or named_next) and re.search(r"\d{3}", text.low[second.end : second.end + 80]):
            return line if begins_line else second.start
    return len(text.low)


def generations(text: Text, cars: list[Mention]) -> list[tuple[int, int]]:
    """Return the spans of the numbers that name a model's generation: "Camry 50", "Focus 2", "Golf 7"."""
    found = []
    for car in cars:
        number = _GENERATION.match(text.low, car.end)
        grouped = _GROUPED.match(text.low, car.end)
        if number and (not grouped or int(re.sub(r"\D", "", grouped[0])) >= IMPLAUSIBLE):
            found.append(number.span())
    return found

"""The thing on offer: a car, a part of one, or something else."""

import re

from outside_world.language.names.cars import Mention
from outside_world.language.words.phrases import any_word_of
from outside_world.language.words.text import Text

REACH = 70  # characters within which the goods are named
CAR = re.compile(any_word_of("things", "car"))
_PART_AFTER = re.compile(r"[\s,:\-]*(?:[\w.\-]+ ){0,2}?" + any_word_of("things", "part"))
_THINGS = re.compile(
    f"(?P<car>{any_word_of('things', 'car')})|(?P<part>{any_word_of('things', 'part')})"
    f"|(?P<other>{any_word_of('things', 'something else')})"
)
# "продам багажник на Калину": the goods before "на" are not the car
_GOODS_FOR = re.compile(r"[\s:!]+(?!авто\b|машин|автомоб)[а-я]+(?: [а-я]+){0,2} (?:на|от|для|к|с)\s(?:\w+\s)?")
_TO_BUY = re.compile(r"(?:\bкупить|\bпокупк\w+|\bкуплю|\bbuy(?:ing)?)\s(?:\w+\s)?$")  # "... to buy a house"


def thing_on_offer(text: Text, cars: list[Mention], sells: re.Match[str] | None) -> str | None:
    """Return the kind of goods that the post names first: car, part or other.

    The goods stand just before the verb, after it, or at the start of the post.
    """
    if sells:
        line = max(text.line_start(sells.start()), sells.start() - 80)
        if any(line <= car.start < sells.start() for car in cars):
            return _part_for(text, cars[0])
    for start in (sells.end(), 0) if sells else (0,):
        end = min(len(text.low), start + REACH)
        car = next((car for car in cars if start <= car.start < end), None)
        things = _THINGS.finditer(text.low, start, end)
        thing = next((each for each in things if not _TO_BUY.search(text.before(each.start(), 40))), None)
        if thing and thing.lastgroup == "other" and any(_builds(car, thing) for car in cars):
            return "other"
        if car and sells and start == sells.end() and _GOODS_FOR.fullmatch(text.low, start, car.start):
            return "part"
        if car and (thing is None or car.start <= thing.start()):
            return _part_for(text, car) or "car"
        if thing:
            return thing.lastgroup
    return None


def _builds(car: Mention, thing: re.Match[str]) -> bool:
    """Return whether the car's maker makes this thing: "Honda CB 500X" is a motorcycle."""
    return (car.end if car.known and car.model else car.start) <= thing.start() <= car.end + 1


def _part_for(text: Text, car: Mention) -> str | None:
    """Return "part" if the car only says what the part fits: "BMW N47 engine", "Camry 50 фара левая"."""
    after = text.after(car.end, 50)
    part = _PART_AFTER.match(after)
    if part is None or re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", after) or re.search(r"\d{3} ?(?:км|km|mi)|,", part[0]):
        return None
    return "part"

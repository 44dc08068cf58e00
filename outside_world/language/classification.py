"""Decides whether a post offers a whole car for sale: evidence for it is added up, what speaks against it is named."""

import re
from dataclasses import dataclass

from outside_world.language.cars import Mention
from outside_world.language.extraction import Reading, read
from outside_world.language.phrases import any_word_of, sections
from outside_world.language.text import Text

ENOUGH = 5.0  # points of evidence
START = 160  # characters that are "the start" of a post
REACH = 70  # characters within which the goods are named
OVERRULED = ("service", "credit or insurance", "joke or talk", "news", "question", "spam")  # by a clear offer
_SELLS = re.compile(r"(?<!\bне )(?<!\bnot )" + any_word_of("sale", "sells"))
_DETAILS = re.compile(any_word_of("sale", "details"))
_SERVICE = re.compile(r"\W*(?:\w+(?:ый|ая|ое) )?" + any_word_of("against", "service as the first word"))
_CAR = re.compile(any_word_of("things", "car"))
_PART_AFTER = re.compile(r"[\s,:\-]*(?:[\w.\-]+ ){0,2}?" + any_word_of("things", "part"))
_THINGS = re.compile(
    f"(?P<car>{any_word_of('things', 'car')})|(?P<part>{any_word_of('things', 'part')})"
    f"|(?P<other>{any_word_of('things', 'something else')})"
)
# "Перекупы мимо", "в аренде не была", "no part exchange": what is ruled out says nothing against a sale.
_DENIED_BEFORE = re.compile(r"(?:\bне|\bни|\bбез|\bникак\w+|\bnot?|\bnever|\bwithout|n't|\bnon)\s(?:[\w/-]+,?\s){0,2}$")
_DENIED_AFTER = re.compile(
    r"[\w/-]*[\s,:\-]+(?:[\w/-]+,?\s){0,4}?"
    r"(?:не\b|нет\b|мимо|проход\w+|лесом|отдыха\w+|до свидания|ни-ни|(?:is|are) not\b|stay away|need not)"
)
_GOODS = re.compile(r"[\s,:]*[^,.!?\n;]{0,40}")
# "продам багажник на Калину": whatever stands there, it is not the car
_GOODS_FOR = re.compile(r"[\s:!]+(?!авто\b|машин|автомоб)[а-я]+(?: [а-я]+){0,2} (?:на|от|для|к|с)\s(?:\w+\s)?")
_TO_BUY = re.compile(r"(?:\bкупить|\bпокупк\w+|\bкуплю|\bbuy(?:ing)?)\s(?:\w+\s)?$")  # "... to buy a house"
_ASKS = re.compile(r"\b(?:прошу|цена|торг\w*|отда\w+|asking|obo|ono|price|vb|срочно)\b")
_AT_THE_START, _FIRST_WORD = " (at the start)", "service as the first word"
_AGAINST = [
    (section, re.compile(any_word_of("against", section))) for section in sections("against") if section != _FIRST_WORD
]


@dataclass(frozen=True)
class Verdict:
    """The decision and a short reason."""

    is_sale: bool
    reason: str


def classify(raw: str) -> Verdict:
    """Whether the post offers a particular car for sale."""
    text, cars, reading = read(raw)
    if not re.search(r"\w{2}", text.low):
        return Verdict(False, "there is no text")
    sells = _SELLS.search(text.low)
    objection = _objection(text, cars, reading, sells) or _lack(text, reading, sells)
    if objection:
        return Verdict(False, objection)
    return Verdict(True, "offers " + (" ".join(filter(None, (reading.make, reading.model))) or "a car"))


def _objection(text: Text, cars: list[Mention], reading: Reading, sells: re.Match[str] | None) -> str | None:
    """What makes the post something else, unless an offer shines through."""
    against = _against(text)
    if _thing_on_offer(text, cars, sells) in ("part", "other"):
        return "something else than a whole car is on offer"
    if "sold already" in against:
        return "sold already"
    service = _SERVICE.match(text.low)
    if service:
        return f"a service: {service[0].strip()}"
    clear_offer = (
        _evidence(text, reading, sells) >= ENOUGH + 2
        and reading.make is not None
        and _figures(reading) >= 2
        and bool(sells or _has_contact(reading))
    )
    for reason in against:
        if reason == "story":
            continue
        if reason == "wanted" and clear_offer and sells and (_comes_first(text, sells) or not _wants_a_car(text, cars)):
            continue
        by_the_way = reason in ("rental", "parts") and against.count(reason) < 2
        if by_the_way and clear_offer and sells and _figures(reading) == 3:
            continue
        if clear_offer and reason in OVERRULED and against.count(reason) < 2:
            continue
        return f"it is about something else: {reason}"
    if _is_told(text, against, reading, sells):
        return "a story or a report"
    return None


def _lack(text: Text, reading: Reading, sells: re.Match[str] | None) -> str | None:
    """What is missing for an offer."""
    contact, figures = _has_contact(reading), _figures(reading)
    if sells is None:
        priced = reading.price is not None and (contact or figures >= 2)
        if not priced and not (contact and figures >= 2):
            return "nobody says that it is for sale"
        if "?" in text.low and not contact:
            return "a question"
    if _evidence(text, reading, sells) < (ENOUGH if reading.make else ENOUGH + 2):
        return "too little speaks for a car on offer"
    return None


def _evidence(text: Text, reading: Reading, sells: re.Match[str] | None) -> float:
    details = {match[0] for match in _DETAILS.finditer(text.low)}
    return (
        (3 if reading.model else 2 if reading.make else 0)
        + 3 * bool(sells)
        + bool(reading.year)
        + 2 * (reading.mileage_km is not None)
        + 2 * (reading.price is not None)
        + _has_contact(reading)
        + bool(_CAR.search(text.low))
        + min(2.0, 0.5 * len(details))
    )


def _has_contact(reading: Reading) -> bool:
    return bool(reading.phones or reading.telegram)


def _figures(reading: Reading) -> int:
    return sum(value is not None for value in (reading.year, reading.mileage_km, reading.price))


def _against(text: Text) -> list[str]:
    """The reasons that speak against a sale, each as often as different expressions say it."""
    found = []
    for section, pattern in _AGAINST:
        reason, at_the_start = section.removesuffix(_AT_THE_START), section.endswith(_AT_THE_START)
        scope = text.low[:START] if at_the_start else text.low
        said = {match[0] for match in pattern.finditer(scope) if not _is_denied(text, match)}
        found += [reason] * len(said)
    return found


def _is_denied(text: Text, match: re.Match[str]) -> bool:
    sentence = re.split(r"[.!?;\n]", text.low[match.end() : match.end() + 50])[0]
    return bool(_DENIED_BEFORE.search(text.before(match.start(), 40)) or _DENIED_AFTER.match(sentence))


def _is_told(text: Text, against: list[str], reading: Reading, sells: re.Match[str] | None) -> bool:
    """A story, a report, an account of what was paid: told in the past, and nobody to turn to."""
    marks = against.count("story")
    complete = _figures(reading) == 3 and reading.city is not None
    if _has_contact(reading) or marks <= complete:
        return False
    if sells or _ASKS.search(text.low):
        return marks >= 2 and _figures(reading) < 3
    return True


def _wants_a_car(text: Text, cars: list[Mention]) -> bool:
    """ "Куплю Камри", but not "куплю квартиру, поэтому продаю"."""
    for section, pattern in _AGAINST:
        for match in pattern.finditer(text.low[:START]) if section.startswith("wanted") else ():
            goods = _GOODS.match(text.low, match.end())
            end = goods.end() if goods else match.end()
            if any(match.end() <= car.start < end for car in cars) or _CAR.search(text.low, match.end(), end):
                return True
    return False


def _comes_first(text: Text, sells: re.Match[str]) -> bool:
    """Whether the offer stands before anything that is wanted ("продам … куплю другую")."""
    places = [m.start() for section, p in _AGAINST if section.startswith("wanted") and (m := p.search(text.low))]
    return sells.start() < min(places, default=len(text.low))


def _thing_on_offer(text: Text, cars: list[Mention], sells: re.Match[str] | None) -> str | None:
    """What stands first where the goods are named: just before the verb, after it, or at the start of the post."""
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
    """ "Honda CB 500X": makers of cars make other things as well."""
    return (car.end if car.known and car.model else car.start) <= thing.start() <= car.end + 1


def _part_for(text: Text, car: Mention) -> str | None:
    """ "BMW N47 engine", "Camry 50 фара левая": the car only says what the part fits."""
    after = text.after(car.end, 50)
    part = _PART_AFTER.match(after)
    if part is None or re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", after) or re.search(r"\d{3} ?(?:км|km|mi)|,", part[0]):
        return None
    return "part"

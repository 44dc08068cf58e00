"""Classification: does a post offer a whole car for sale? Points add up for an offer; each objection has a name."""

import re
from dataclasses import dataclass

from outside_world.language.extraction import Reading, read
from outside_world.language.goods import CAR, thing_on_offer
from outside_world.language.names.cars import Mention
from outside_world.language.words.phrases import any_word_of, sections
from outside_world.language.words.text import Text

ENOUGH = 5.0  # points of evidence
START = 160  # characters that are "the start" of a post
# A clear offer outweighs these objections.
OVERRULED = ("service", "credit or insurance", "joke or talk", "news", "question", "spam")
_SELLS = re.compile(r"(?<!\bне )(?<!\bnot )" + any_word_of("sale", "sells"))
_DETAILS = re.compile(any_word_of("sale", "details"))
_SERVICE = re.compile(r"\W*(?:\w+(?:ый|ая|ое) )?" + any_word_of("against", "service as the first word"))
# "Перекупы мимо", "в аренде не была", "no part exchange": a denied expression says nothing against a sale.
_DENIED_BEFORE = re.compile(r"(?:\bне|\bни|\bбез|\bникак\w+|\bnot?|\bnever|\bwithout|n't|\bnon)\s(?:[\w/-]+,?\s){0,2}$")
_DENIED_AFTER = re.compile(
    r"[\w/-]*[\s,:\-]+(?:[\w/-]+,?\s){0,4}?"
    r"(?:не\b|нет\b|мимо|проход\w+|лесом|отдыха\w+|до свидания|ни-ни|(?:is|are) not\b|stay away|need not)"
)
_GOODS = re.compile(r"[\s,:]*[^,.!?\n;]{0,40}")
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
    """Decide whether the post offers a particular car for sale."""
    text, cars, reading = read(raw)
    if not re.search(r"\w{2}", text.low):
        return Verdict(False, "there is no text")
    sells = _SELLS.search(text.low)
    objection = _objection(text, cars, reading, sells) or _lack(text, reading, sells)
    if objection:
        return Verdict(False, objection)
    return Verdict(True, "offers " + (" ".join(filter(None, (reading.make, reading.model))) or "a car"))


def _objection(text: Text, cars: list[Mention], reading: Reading, sells: re.Match[str] | None) -> str | None:
    """Return the reason why the post is something else. None if there is none, or if a clear offer outweighs it."""
    against = _against(text)
    if thing_on_offer(text, cars, sells) in ("part", "other"):
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
    """Return what the post lacks for an offer; None if it has enough."""
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
        + bool(CAR.search(text.low))
        + min(2.0, 0.5 * len(details))
    )


def _has_contact(reading: Reading) -> bool:
    return bool(reading.phones or reading.telegram)


def _figures(reading: Reading) -> int:
    return sum(value is not None for value in (reading.year, reading.mileage_km, reading.price))


def _against(text: Text) -> list[str]:
    """Return the reasons against a sale. Each is listed once for each different expression that gives it."""
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
    """Return whether the post is a story, a report or a bill: it tells of the past, and names no contact."""
    marks = against.count("story")
    complete = _figures(reading) == 3 and reading.city is not None
    if _has_contact(reading) or marks <= complete:
        return False
    if sells or _ASKS.search(text.low):
        return marks >= 2 and _figures(reading) < 3
    return True


def _wants_a_car(text: Text, cars: list[Mention]) -> bool:
    """Return whether a car is wanted: "Куплю Камри", but not "куплю квартиру, поэтому продаю"."""
    for section, pattern in _AGAINST:
        for match in pattern.finditer(text.low[:START]) if section.startswith("wanted") else ():
            goods = _GOODS.match(text.low, match.end())
            end = goods.end() if goods else match.end()
            if any(match.end() <= car.start < end for car in cars) or CAR.search(text.low, match.end(), end):
                return True
    return False


def _comes_first(text: Text, sells: re.Match[str]) -> bool:
    """Return whether the offer stands before all that is wanted ("продам … куплю другую")."""
    places = [m.start() for section, p in _AGAINST if section.startswith("wanted") and (m := p.search(text.low))]
    return sells.start() < min(places, default=len(text.low))

"""Decides whether a post offers a whole car for sale: evidence for it is added up, what speaks against it is named."""

import re
from dataclasses import dataclass

from outside_world.language.cars import Mention
from outside_world.language.extraction import Reading, read
from outside_world.language.phrases import any_word_of, sections
from outside_world.language.text import Text

ENOUGH = 5.0
_SELLS = re.compile(any_word_of("sale", "sells"))
_DETAILS = re.compile(any_word_of("sale", "details"))
_CAR, _PART, _OTHER = (any_word_of("things", section) for section in ("car", "part", "something else"))
_OBJECTS = re.compile(f"(?P<car>{_CAR})|(?P<part>{_PART})|(?P<other>{_OTHER})")
_AT_THE_START = " (at the start)"
_AGAINST = [(section, re.compile(any_word_of("against", section))) for section in sections("against")]


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
    evidence = _evidence(text, cars, reading, sells is not None)
    against = _against(text)
    thing = _thing_on_offer(text, cars, sells)
    if thing in ("part", "other"):
        return Verdict(False, "something else than a whole car is on offer")
    if "sold already" in against:
        return Verdict(False, "sold already")
    known = sum(value is not None for value in (reading.year, reading.mileage_km, reading.price))
    contact = bool(reading.phones or reading.telegram)
    begins_so = re.match(r"\W*(?:\w+(?:ый|ая|ое) )?(?:ремонт|диагностика|замена|покраска|установка|чистка|мойка|прокат|аренда)\b", text.low)
    if begins_so:
        return Verdict(False, f"a service: {begins_so[0].strip()}")
    strong = evidence >= ENOUGH + 2 and bool(sells or contact) and reading.make is not None and known >= 2
    for reason in against:
        if reason == "wanted" and not (strong and sells and _first(text, sells)):
            return Verdict(False, "wanted, not offered")
        if not (strong and reason in ("service", "credit or insurance", "joke or talk", "news", "question", "spam") and against.count(reason) < 2):
            return Verdict(False, f"it is about something else: {reason}")
    if sells is None and not (reading.price is not None and (contact or known >= 2)) and not (contact and known >= 2):
        return Verdict(False, "nobody says that it is for sale")
    if sells is None and "?" in text.low and not contact:
        return Verdict(False, "a question")
    if evidence < ENOUGH or (reading.make is None and evidence < ENOUGH + 2):
        return Verdict(False, "too little speaks for a car on offer")
    name = " ".join(filter(None, (reading.make, reading.model))) or "a car"
    return Verdict(True, f"offers {name}")


def _evidence(text: Text, cars: list[Mention], reading: Reading, sells: bool) -> float:
    points = 0.0
    points += 3 if reading.model else 2 if reading.make else 0
    points += 3 if sells else 0
    points += 1 if reading.year else 0
    points += 2 if reading.mileage_km is not None else 0
    points += 2 if reading.price is not None else 0
    points += 1 if reading.phones or reading.telegram else 0
    points += 1 if re.search(_CAR, text.low) else 0
    points += min(2.0, 0.5 * len({match[0] for match in _DETAILS.finditer(text.low)}))
    return points


def _against(text: Text) -> list[str]:
    """The reasons that speak against a sale, each as often as different expressions say it."""
    found = []
    for section, pattern in _AGAINST:
        reason, at_the_start = section.removesuffix(_AT_THE_START), section.endswith(_AT_THE_START)
        said = {match[0] for match in pattern.finditer(text.low[:160] if at_the_start else text.low)}
        found += [reason] * len(said)
    return found


def _first(text: Text, sells: re.Match[str]) -> bool:
    """Whether the offer stands before anything that is wanted ("продам … куплю другую")."""
    places = [m.start() for section, p in _AGAINST if section.startswith("wanted") and (m := p.search(text.low))]
    return sells.start() < min(places, default=len(text.low))


def _thing_on_offer(text: Text, cars: list[Mention], sells: re.Match[str] | None) -> str | None:
    """What stands first where the goods are named: after the verb, else at the start of the post."""
    starts = [sells.end()] if sells else []
    if sells and any(sells.start() - 80 <= c.start < sells.start() for c in cars if text.line_end(c.start) >= sells.start()):
        return None if _followed_by_part(text, cars[0]) is None else "part"
    for start in [*starts, 0]:
        end = min(len(text.low), start + 70)
        car = next((c.start for c in cars if start <= c.start < end), None)
        thing = _OBJECTS.search(text.low, start, end)
        if thing and thing.lastgroup == "other" and any(
            (c.end if c.known and c.model else c.start) <= thing.start() <= c.end + 1 for c in cars
        ):
            return "other"  # "Honda CB 500X": the make also builds motorcycles
        if thing is None or (car is not None and car <= thing.start()):
            if car is not None:
                return _followed_by_part(text, next(c for c in cars if c.start == car)) or "car"
            continue
        return thing.lastgroup
    return None


def _followed_by_part(text: Text, car: Mention) -> str | None:
    """"BMW N47 engine", "Camry 50 фара левая": the car only says what the part fits."""
    after = text.after(car.end, 50)
    if re.search(r"\b(?:19|20)\d\d\b", after):
        return None
    match = re.match(rf"[\s,:\-]*(?:[\w.\-]+ ){{0,2}}?(?:{_PART})", after)
    return "part" if match and not re.search(r"\d{3} ?(?:км|km|mi)|,", match[0]) else None

"""Place of the car: the city that a post names, and not the car's origin, a delivery or the name of a street."""

import re
from dataclasses import dataclass
from itertools import pairwise

from outside_world.language.names.gazetteer import City, cities
from outside_world.language.words.folding import transliterate
from outside_world.language.words.phrases import WORD_STARTS, any_of, any_word_of
from outside_world.language.words.text import Text

LONGEST_NAME = 4  # words
LOWEST_SCORE = -2  # below it the car is not there
FALLBACK_SCORE = -2  # a city that is also a first name: it counts only if the post names no other city
DECLINED_COUNTRIES = ("RU", "KZ", "BY", "UA")
_GAP = re.compile(r"[ .\-]{1,2}")


def _before(section: str, then: str = "") -> re.Pattern[str]:
    return re.compile(WORD_STARTS + any_of("places", section) + then + r"[\s:,\"(#-]*$")


# Words before a city's name -> points for the car being there. The first pattern that fits counts.
_BEFORE = [
    (_before("street"), -8),
    (_before("delivery", r"(?: \w+){0,2}(?: (?:в|до|по|to|из|from))?"), -6),
    (_before("brought", r"(?: \w+){0,2} (?:из|с|в|from|in)"), -5),
    (_before("exchange", r" (?:\w+ ){0,3}(?:в|во|из)"), -6),
    (_before("papers", r"(?: \w+)?"), -2),
    (_before("label", r"(?: (?:в|во|in|at|is|near|по|авто))?"), 6),
    (_before("car", r" (?:в|во|in|is in|at)"), 6),
    (_before("region"), -3),
    (re.compile(r"\b(?:во?|у|in|near|around|outside|w)[\s:,\"(#-]*$"), 3),
    (re.compile(r"\b(?:from|из|под|возле|рядом с|близ)[\s:,\"(#-]*$"), 1),
    (re.compile(r"\bна[\s:,\"(#-]*$"), -3),
]
_AFTER_NOT = re.compile(r"\s?" + any_of("places", "after: no city"))
_AFTER_CITY = re.compile(any_of("places", "after: a city"))
_CLOCK_BEFORE = re.compile(r"\d{1,2}[:.]\d\d\s?(?:по\s)?\(?$|\b(?:до|с) \d{1,2}\s(?:по\s)?$")
_STARTS_CLAUSE = re.compile(r"(?:^|[,;.|!()\n\-/:])\s*$")
_ENDS_CLAUSE = re.compile(r"\s*(?:$|[,;.|!()\n\-/@+]|[78][ (-]?\d|тел)")
_FIGURE_BEFORE = re.compile(
    r"(?<!\d)\d{2,7}\s?(?:км|тыс|т\.?\s?р|тр|р|руб\w*|₽|т|к|млн|лям\w*|тг|\$|€)?\.?"
    r"\s+(?:(?:торг|срочно|обмен)\s+)?$"
)
_ENDS_ADVERT = re.compile(r"\s*(?:$|-\s|[,.;|!+@(]|(?:\+?7|8)[ (.-]{0,2}\d|тел|торг|срочн|звон|обмен|без торга)")
_FIRST_NAME = re.compile(any_of("places", "first name"))
_PERSON_BEFORE = re.compile(any_of("places", "person") + r"\W*$")
_NOT_CITIES = re.compile(any_of("places", "no city"))
_CITY_AND_STATE = re.compile(
    r"\b([A-Z][a-z.']+(?:[ -][A-Z][a-z.']+){0,3}),? ?\(?\b"
    + any_of("places", "american state")
    + r"\b(?! ?(?:miles|km))"
)
_NOT_ITS_FIRST_WORD = re.compile(any_word_of("places", "before an american city"))
_NAMED_CITY = re.compile(
    r"(?<!\d )(?<!\d)\b(?:[гГ]\.|[гГ]ор\.|[гГ]ород:?) ?([А-Я][а-я]+(?:-[А-Яа-я]+){0,2}(?: [А-Я][а-я]+)?)"
)


@dataclass(frozen=True)
class Place:
    """A city, its place in the text, and the points for it."""

    city: City
    start: int
    end: int
    score: int


def find_place(text: Text, blocked: list[tuple[int, int]]) -> Place | None:
    """Return the city where the car is, if the post names one. `blocked`: spans of other things (a Seat Toledo)."""
    found = [
        place
        for place in [*_known(text), *_with_state(text), *_named(text)]
        if place.score >= LOWEST_SCORE and not any(start < place.end and place.start < end for start, end in blocked)
    ]
    return max(found, key=lambda place: (place.score, -place.start), default=None)


def _known(text: Text) -> list[Place]:
    """Return the cities of the gazetteer, with the longest name at each place."""
    found = []
    index = 0
    while index < len(text.tokens):
        last = _last_of_city(text, index)
        if last is not None:
            part = text.tokens[index : last + 1]
            city = cities()[" ".join(token.word for token in part)]
            score = _score(text, city, part[0].start, part[-1].end)
            if score is not None:
                found.append(Place(city, part[0].start, part[-1].end, score))
        index = index + 1 if last is None else last + 1
    return found


def _last_of_city(text: Text, index: int) -> int | None:
    for last in range(min(index + LONGEST_NAME, len(text.tokens)) - 1, index - 1, -1):
        part = text.tokens[index : last + 1]
        if " ".join(token.word for token in part) in cities() and all(
            _GAP.fullmatch(text.low[first.end : second.start]) for first, second in pairwise(part)
        ):
            return last
    return None


def _score(text: Text, city: City, start: int, end: int) -> int | None:
    """Return the points for the car being there; None if the word is hardly a city here."""
    before, after, word = text.before(start, 45), text.after(end, 24), text.low[start:end]
    capital = text.norm[start].isupper() or text.is_lower
    if _AFTER_NOT.match(after) or _CLOCK_BEFORE.search(before):
        return None
    if word.isascii() and not capital and not re.search(r"[#@:]\s*$|\bin $", before):
        return None
    score = next((points for pattern, points in _BEFORE if pattern.search(before)), 0)
    if city.country == "UA" and re.search(r"\bм\.\s?$", before):
        score = 6  # "місто", not a metro station
    if score == 3 and re.search(r"\bво? $", before) and city.country in DECLINED_COUNTRIES:
        score = 3 if word[-1] in "еихмюо" else -3  # "в Москве" is a place, "в Москву" a direction
    score += 3 * before.endswith("#")
    score += 2 * bool(_STARTS_CLAUSE.search(before) and _ENDS_CLAUSE.match(after))
    score += 3 * bool(_AFTER_CITY.match(after))
    if score == 0 and _FIGURE_BEFORE.search(before) and _ENDS_ADVERT.match(after):
        score = 3  # "790000р киров 8920...": very short adverts have no commas
    return _weak_score(score, capital, word, before) if city.weak else score


def _weak_score(score: int, capital: bool, word: str, before: str) -> int | None:
    """Return the points of a name that is also an ordinary word or a first name; None if they are too few."""
    if not _FIRST_NAME.fullmatch(word):
        return score if score >= 2 and (capital or score >= 5) else None
    if score >= 3:
        return score
    return FALLBACK_SCORE if capital and _STARTS_CLAUSE.search(before) and not _PERSON_BEFORE.search(before) else None


def _with_state(text: Text) -> list[Place]:
    """Return the American cities with a state. One with a comma ("Boise, ID") need not be in the gazetteer."""
    found = []
    for match in _CITY_AND_STATE.finditer(text.norm):
        name, known = _american(match[1].split())
        if known is None and "," not in match[0]:
            continue
        before = text.before(match.start(), 45)
        score = 5 + min(0, next((points for pattern, points in _BEFORE if pattern.search(before)), 0))
        found.append(Place(City(name, "US"), match.start(), match.end(), score))
    return found


def _american(words: list[str]) -> tuple[str, City | None]:
    """Return the longest known name at the end of the words. If there is none, return all words but "Located in"."""
    for first in range(len(words)):
        known = cities().get(" ".join(words[first:]).lower().replace(".", ""))
        if known:
            return known.name if known.country == "US" else " ".join(words[first:]), known
    while len(words) > 1 and _NOT_ITS_FIRST_WORD.fullmatch(words[0].lower()):
        words = words[1:]
    return " ".join(words), None


def _named(text: Text) -> list[Place]:
    """Return the Russian cities after "г." that the gazetteer does not know, transliterated."""
    found = []
    for match in _NAMED_CITY.finditer(text.norm):
        words = match[1].split()
        known = any(" ".join(words[:count]).lower().replace("-", " ") in cities() for count in (1, 2))
        if known or _NOT_CITIES.fullmatch(words[0].lower()):
            continue
        name = words[0] if len(words) == 1 or _NOT_CITIES.fullmatch(words[1].lower()) else match[1]
        found.append(Place(City(transliterate(name), "RU"), match.start(1), match.end(), 4))
    return found

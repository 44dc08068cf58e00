"""Where the car is: the city a post names, told apart from where it came from, where it can be sent, and streets."""

import re
from dataclasses import dataclass

from outside_world.language.folding import transliterate
from outside_world.language.gazetteer import City, cities
from outside_world.language.text import Text

LONGEST_NAME = 4  # words
_GAP = re.compile(r"[ .\-]{1,2}")
# What stands before a city's name -> how much it speaks for the car being there. The first that fits counts.
_BEFORE: list[tuple[re.Pattern[str], int]] = [
    (re.compile(r"(?<![а-яa-z])" + pattern + r"[\s:,\"(#-]*$"), score)
    for pattern, score in [
        (r"(?:ул\.?|улица|улице|пр-т|проспект\w*|шоссе|метро|м\.|ст\. ?м\.|трасс\w+|тракт\w*|бульвар|наб\.|площад\w+)", -8),
        (r"(?:доставк\w+|достав\w+|отправ\w+|перевоз\w+|автовоз\w*|пригон\w*|ship\w*|deliver\w*|до|привез\w*|перегон\w*)(?: \w+){0,2}(?: (?:в|до|по|to|из|from))?", -6),
        (r"(?:пригна\w+|привез\w+|доставлен\w*|ввез\w+|приех\w+|купл\w+|брал\w*|покупал\w*|куплен\w*|import\w*|bought|came|shipped|originally|родом|растамож\w+)(?: \w+){0,2} (?:из|с|в|from|in)", -5),
        (r"(?:обмен\w*|меня\w*|квартир\w*|дом|участок) (?:\w+ ){0,3}(?:в|во|из)", -6),
        (r"(?:номера\w*|учет\w*|птс|прописк\w+|регион\w*|зарегистр\w+|офис\w* в|филиал\w*)(?: \w+)?", -2),
        (r"(?:\bг\.?|\bгор\.|город\w*|місто|мисто|местонахожд\w+|местоположение|находится|находимся|стоит|локация|адрес|осмотр\w*|смотреть|показ\w*|location|located|city|loc|based|pick ?up|viewing|қала|кала)(?: (?:в|во|in|at|is|near|по|авто))?", 6),
        (r"(?:машина|авто|автомобиль|car|vehicle|truck|продаю|продам|продается|selling|sale) (?:в|во|in|is in|at)", 6),
        (r"(?:район|р-н|область|обл\.?)", -3),
        (r"\b(?:во?|у|in|near|around|outside|w)", 3),
        (r"\b(?:from|из|под|возле|рядом с|близ)", 1),
        (r"\bпо", 0),
        (r"\b(?:на)", -3),
    ]
]  # fmt: skip
_AFTER_NOT = re.compile(r"\s?(?:время|time\b|шоссе|ш\.|тракт|проспект|пр-т|вокзал|арена|лада\b|st\b|street|road|rd\b|avenue|ave\b|blvd|edition|шины|tyres|\d{1,2}:\d\d|plates?\b)")
_CLOCK_BEFORE = re.compile(r"\d{1,2}[:.]\d\d\s?(?:по\s)?\(?$|\b(?:до|с) \d{1,2}\s(?:по\s)?$")
_PERSON = frozenset(["владимир", "артем", "марк", "роман", "белла", "адам", "кент", "остин", "шарлотта", "джексон", "юджин", "мэдисон", "савана", "виктория", "austin", "charlotte", "jackson", "eugene", "madison", "savannah", "victoria", "chandler", "stafford", "florence", "preston"])  # fmt: skip
_STATES = ["AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY", "DC", "Alabama", "Alaska", "Arizona", "Arkansas", "California", "Colorado", "Connecticut", "Delaware", "Florida", "Georgia", "Hawaii", "Idaho", "Illinois", "Indiana", "Iowa", "Kansas", "Kentucky", "Louisiana", "Maine", "Maryland", "Massachusetts", "Michigan", "Minnesota", "Mississippi", "Missouri", "Montana", "Nebraska", "Nevada", "Ohio", "Oklahoma", "Oregon", "Pennsylvania", "Tennessee", "Texas", "Utah", "Vermont", "Virginia", "Washington", "Wisconsin", "Wyoming"]  # fmt: skip
_CITY_AND_STATE = re.compile(
    rf"\b([A-Z][a-z.']+(?:[ -][A-Z][a-z.']+){{0,3}})(?:, ?|,? \(?)((?:{'|'.join(_STATES)})|New (?:York|Jersey|Mexico|Hampshire)|(?:North|South) (?:Carolina|Dakota)|West Virginia|Rhode Island)\b(?! ?(?:miles|km))"
)
_NAMED_CITY = re.compile(r"(?<!\d )(?<!\d)\b(?:[гГ]\.|[гГ]ор\.|[гГ]ород:?) ?([А-Я][а-я]+(?:-[А-Яа-я]+){0,2}(?: [А-Я][а-я]+)?)")
_NOT_CITIES = frozenset(["россии", "росии", "рф", "казахстана", "беларуси", "украины", "мира", "снг", "края", "области", "любой", "цена", "пробег", "год", "продам", "марка", "модель", "продается", "адрес", "двигатель", "тел", "телефон"])


@dataclass(frozen=True)
class Place:
    """A city with where it stands and how much speaks for it."""

    city: City
    start: int
    end: int
    score: int


def find_place(text: Text, blocked: list[tuple[int, int]]) -> Place | None:
    """The city where the car is, if one is named. `blocked`: spans that are something else (a Seat Toledo)."""
    found = [
        place
        for place in [*_known(text), *_with_state(text), *_named(text)]
        if place.score > -3 and not any(start < place.end and place.start < end for start, end in blocked)
    ]
    return max(found, key=lambda place: (place.score, -place.start), default=None)


def _known(text: Text) -> list[Place]:
    found = []
    index = 0
    while index < len(text.tokens):
        used = 1
        for last in range(min(index + LONGEST_NAME, len(text.tokens)) - 1, index - 1, -1):
            part = text.tokens[index : last + 1]
            gaps = (text.low[a.end : b.start] for a, b in zip(part, part[1:], strict=False))
            if not all(_GAP.fullmatch(gap) for gap in gaps):
                continue
            city = cities().get(" ".join(token.word for token in part))
            if city is None:
                continue
            used = last - index + 1
            score = _score(text, city, part[0].start, part[-1].end)
            if score is not None:
                found.append(Place(city, part[0].start, part[-1].end, score))
            break
        index += used
    return found


def _score(text: Text, city: City, start: int, end: int) -> int | None:
    """How much speaks for the car being there; None if the word is hardly a city here."""
    before, after = text.before(start, 45), text.after(end, 14)
    if _AFTER_NOT.match(after) or _CLOCK_BEFORE.search(before):
        return None
    capital = text.norm[start].isupper()
    word = text.low[start:end]
    if word.isascii() and not capital and not text.is_lower and not re.search(r"[#@:]\s*$|\bin $", before):
        return None
    score = next((points for pattern, points in _BEFORE if pattern.search(before)), 0)
    if score == 3 and re.search(r"\bво? $", before) and word[-1] not in "еихмю" and city.country in ("RU", "KZ", "BY", "UA"):
        score = -3  # "в Москву": a direction
    alone = re.search(r"(?:^|[,;.|!()\n\-/:])\s*$", before) is not None and re.match(r"\s*(?:$|[,;.|!()\n\-/@+]|[78][ (-]?\d|тел)", after) is not None
    if before.endswith("#"):
        score += 3
    if alone:
        score += 2
    if re.match(r",? (?:[а-я]+(?:ая|ой) )?обл|,? край\b|,? россия|,? рф\b|,? russia|,? uk\b|,? germany|,? poland", after):
        score += 1
    if city.weak:
        named = word.split()[0] in _PERSON
        if not (score >= 3 if named else score >= 2 and (capital or text.is_lower or score >= 5)):
            person = re.search(r"(?:звон\w*|тел\w*|зовут|спро\w+|меня|имя|контакт\w*|хозяин|продавец|менеджер|владелец|call|ask for|name)\W*$", before)
            begins = re.search(r"(?:^|[,;.|!()\n\-/:])\s*$", before)
            return -2 if named and begins and capital and not person else None  # a first name, unless no other city is named
    return score


def _with_state(text: Text) -> list[Place]:
    """"Boise, ID": an American city needs no gazetteer."""
    found = []
    for match in _CITY_AND_STATE.finditer(text.norm):
        words = match[1].split()
        while len(words) > 1 and words[0].lower() in ("in", "located", "location", "near", "from", "car", "sale", "sell", "selling", "local", "pickup", "north", "greater", "call", "text", "city") and cities().get(" ".join(words).lower()) is None:
            words.pop(0)
        for count in range(len(words), 0, -1):
            known = cities().get(" ".join(words[-count:]).lower().replace(".", ""))
            if known and known.country in ("US", "GB", "RU"):
                words = words[-count:]
                break
        name = " ".join(words)
        known = cities().get(name.lower().replace(".", ""))
        english = known.name if known and known.country == "US" else name
        before = text.before(match.start(), 45)
        score = 5 + min(0, next((points for pattern, points in _BEFORE if pattern.search(before)), 0))
        if "," in match[0] or known:
            found.append(Place(City(english, "US"), match.start(), match.end(), score))
    return found


def _named(text: Text) -> list[Place]:
    """"г. Такой-то": a Russian city the gazetteer does not know is transliterated."""
    found = []
    for match in _NAMED_CITY.finditer(text.norm):
        words = match[1].split()
        if any(cities().get(" ".join(words[:n]).lower().replace("-", " ")) for n in (1, 2)) or words[0].lower() in _NOT_CITIES:
            continue
        name = words[0] if len(words) == 1 or words[1].lower() in _NOT_CITIES else match[1]
        found.append(Place(City(transliterate(name), "RU"), match.start(1), match.end(), 4))
    return found

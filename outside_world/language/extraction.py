"""Puts the readers together: what one post says about the car it offers."""

import re
from dataclasses import asdict, dataclass, field
from functools import lru_cache

from outside_world.language.cars import Mention, find_cars
from outside_world.language.handles import find_handle
from outside_world.language.mileage import find_mileage, find_unnamed_mileage
from outside_world.language.phones import find_phones
from outside_world.language.places import find_place
from outside_world.language.prices import find_price
from outside_world.language.quantities import find_quantities
from outside_world.language.text import Text
from outside_world.language.years import find_year

LONGEST_POST = 20_000  # characters; Telegram allows 4,096
_NO_NUMBERS_IN = re.compile(
    r"https?://\S+|www\.\S+|\bt\.me/\S+|\S+@\S+\.\w+|@\w+"  # links, addresses, handles
    r"|\b(?=[a-z0-9]*\d)(?=[a-z0-9]*[a-z])[a-z0-9]{11,17}\b"  # VIN
    r"|\b\d{1,2}[:]\d{2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b"  # times, dates
    r"|\b\d{3}\s?/\s?\d{2}\s?/?\s?[rр]?\s?\d{2}\b|\b[rр]\s?\d{2}\b"  # tyres
    r"|\b[авекмнорстухabekmhopctyx] ?\d{3} ?[авекмнорстухabekmhopctyx]{2}(?: ?\d{2,3})?\b"  # number plates
    r"|\b24\s?[/x]\s?7\b|\b\d{1,2}\s?[x*]\s?\d\b|\b\d+\s?-?\s?(?:й|ая|ый|ое|го|st|nd|rd|th)\b"  # 24/7, 4x4, ordinals
)
_COUNTRY_WORDS = [
    (re.compile(pattern), country)
    for pattern, country in [
        (r"казахстан|\bkz\b|қазақстан", "KZ"), (r"беларус|белорус|\bрб\b", "BY"), (r"украин", "UA"), (r"грузи[яи]\b|georgia\b(?! tech)", "GE"),
        (r"\bоаэ\b|эмират|\buae\b|\bgcc\b", "AE"), (r"узбекистан", "UZ"), (r"киргиз|кыргызстан", "KG"), (r"армени[яи]\b", "AM"),
        (r"\bрф\b|росси[ияею]", "RU"), (r"£|\bmot\b|\bv5c?\b|\bulez\b|\btyres\b", "GB"), (r"\bpoland\b|\bpolska\b", "PL"),
        (r"clean title|salvage|\bdmv\b|smog(?:ged)? |carfax|title in hand|rebuilt title", "US"), (r"\bgermany\b|\btüv\b|\btuv\b", "DE"),
    ]
]  # fmt: skip
_COUNTRY_OF_SIGN = {"£": "GB", "₸": "KZ", "₴": "UA", "₾": "GE", "aed": "AE", "zł": "PL", "pln": "PL", "тенге": "KZ", "грн": "UA", "лари": "GE", "дирхам": "AE",
                    "kč": "CZ", "₽": "RU", "руб": "RU"}  # fmt: skip


_NEXT_ITEM = re.compile(r"(?:\bи|\band|\bплюс|&|\+|;|[2-9]\s?[).]|также|втор\w+|second|also|еще)\W{0,3}$")
_YEAR_NEXT = re.compile(r"[\s,(]{0,3}(?:19|20)\d\d\b")


@dataclass(frozen=True)
class Reading:
    """What a post says; None where it does not. The rest is for the classification."""

    make: str | None = None
    model: str | None = None
    year: int | None = None
    mileage_km: int | None = None
    price: int | None = None
    currency: str | None = None
    city: str | None = None
    phones: list[str] = field(default_factory=list)
    telegram: str | None = None


@lru_cache(maxsize=256)
def read(raw: str) -> tuple[Text, list[Mention], Reading]:
    """Normalise and read a post once; classification, extraction and description all ask for it."""
    text = Text(raw[:LONGEST_POST])
    cars = find_cars(text)
    spans = [part for car in cars for part in car.parts]
    place = find_place(text, spans)
    country = place.city.country if place else _country(text)
    phones = find_phones(text, country)
    country = country or next((phone.country for phone in phones if phone.country), None)
    country = country or _country_of_language(raw, text)
    blocked = [
        *spans,
        *((phone.start, phone.end) for phone in phones),
        *(match.span() for match in _NO_NUMBERS_IN.finditer(text.low)),
        *_generations(text, cars),
    ]
    clear = text.masked(blocked)
    end = _end_of_first_offer(text, cars)
    quantities = [quantity for quantity in find_quantities(clear) if quantity.start < end]
    year = find_year(clear, spans, end)
    mileage = find_mileage(clear, quantities, country, year)
    price = find_price(clear, quantities, country, mileage[1] if mileage else None)
    if mileage is None:
        mileage = find_unnamed_mileage(clear, quantities, country, price)
        price = find_price(clear, quantities, country, mileage[1]) if mileage else price
    car = next((car for car in cars if car.model), cars[0] if cars else None)
    return text, cars, Reading(
        make=car.make if car else None,
        model=car.model if car else None,
        year=year,
        mileage_km=mileage[0] if mileage else None,
        price=price.amount if price else None,
        currency=price.currency if price else None,
        city=place.city.name if place else None,
        phones=[phone.number for phone in phones],
        telegram=find_handle(text),
    )  # fmt: skip


def extract(raw: str) -> dict[str, object]:
    """The reading as the form that the schema `car_data` asks for."""
    return asdict(read(raw)[2])


def _country(text: Text) -> str | None:
    """Without a city: by currency, by words, by letters of the neighbours' alphabets, by language at last."""
    for sign, country in _COUNTRY_OF_SIGN.items():
        if re.search(rf"(?<![а-яa-z]){re.escape(sign)}", text.low):
            return country
    return next((country for pattern, country in _COUNTRY_WORDS if pattern.search(text.low)), None)


def _country_of_language(raw: str, text: Text) -> str | None:
    for letters, country in (("әғқңөұүһӘҒҚҢӨҰҮҺ", "KZ"), ("іїєґІЇЄҐ", "UA"), ("ўЎ", "BY")):
        if sum(raw.count(letter) for letter in letters) >= 2:
            return country
    if text.is_cyrillic:
        return "RU"
    return "US" if "$" in text.low else None


def _generations(text: Text, cars: list[Mention]) -> list[tuple[int, int]]:
    """The number after a model that says which generation: "Camry 50", "Focus 2", "Golf 7"."""
    found = []
    for car in cars:
        after = text.low[car.end : car.end + 40]
        match = re.match(r"[ -]?(\d{1,3})(?![\d.,]\d)(?!\s?(?:к\b|k\b|т\b|т\.|тыс|млн|лям|км|km|mi|л\b|л\.|%|г\b|г\.|год|\$|€|£|₽|руб|р\b|000|лет))\b", after)
        grouped = re.match(r"[ -]?\d{1,3}((?: \d{3})+)(?!\d)", after)
        if match and (not grouped or int(re.sub(r"\D", "", grouped[0])) >= 20_000_000):
            found.append((car.end, car.end + match.end()))
    return found


def _end_of_first_offer(text: Text, cars: list[Mention]) -> int:
    """Where the second car on offer begins; its figures are not the first one's."""
    offered = [car for car in cars if car.model and car.known]
    for first, second in zip(offered, offered[1:], strict=False):
        if first.make == second.make and (first.model or "")[:4] == (second.model or "")[:4]:
            continue
        line, before = text.line_start(second.start), text.before(second.start, 20)
        begins_line = line > first.end and len(re.findall(r"\w+", text.low[line : second.start])) <= 2
        named_next = _NEXT_ITEM.search(before) or _YEAR_NEXT.match(text.low, second.end)
        if (begins_line or named_next) and re.search(r"\d{3}", text.low[second.end : second.end + 80]):
            return line if begins_line else second.start
    return len(text.low)

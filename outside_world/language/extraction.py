"""Extraction: all readers together tell what one post says about the car that it offers."""

from dataclasses import asdict, dataclass, field
from functools import lru_cache

from outside_world.language.contacts.handles import find_handle
from outside_world.language.contacts.phones import find_phones
from outside_world.language.names.cars import Mention, find_cars
from outside_world.language.names.countries import country_by_language, country_by_words
from outside_world.language.names.places import find_place
from outside_world.language.numbers.bare_numbers import read_bare_numbers
from outside_world.language.numbers.mileage import find_mileage, find_unnamed_mileage
from outside_world.language.numbers.prices import find_price
from outside_world.language.numbers.quantities import find_quantities
from outside_world.language.numbers.years import find_year
from outside_world.language.offers import NO_NUMBERS_IN, end_of_first_offer, generations
from outside_world.language.words.text import Text

LONGEST_POST = 5_000  # characters; the rest is not read. Telegram allows 4,096


@dataclass(frozen=True)
class Reading:
    """The facts that a post gives about the first car it offers; None for each that is missing."""

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
    """Normalise and read a post. Classification, extraction and description share the result.

    The order matters. Cars, phones and links are read first and then blotted out, so that no reader takes their digits
    for figures. The country comes before the phones and the currencies, which depend on it.
    """
    text = Text(raw[:LONGEST_POST])
    cars = find_cars(text)
    spans = [part for car in cars for part in car.parts]
    place = find_place(text, spans)
    country = place.city.country if place else country_by_words(text)
    phones = find_phones(text, country)
    country = country or next((phone.country for phone in phones if phone.country), None)
    country = country or country_by_language(raw, text)
    figures = text.masked([
        *spans,
        *generations(text, cars),
        *((phone.start, phone.end) for phone in phones),
        *(match.span() for match in NO_NUMBERS_IN.finditer(text.low)),
    ])  # fmt: skip
    end = end_of_first_offer(text, cars)
    quantities = [quantity for quantity in find_quantities(figures) if quantity.start < end]
    year = find_year(figures, spans, end)
    mileage = find_mileage(figures, quantities, country, year)
    price = find_price(figures, quantities, country, mileage[1] if mileage else None)
    mileage, price = read_bare_numbers(figures, quantities, country, year, mileage, price)
    if mileage is None:
        mileage = find_unnamed_mileage(figures, quantities, country, price)
        price = find_price(figures, quantities, country, mileage[1]) if mileage else price
    car = next((car for car in cars if car.model), cars[0] if cars else None)
    make = car.make if car else None
    if make == "Opel" and country == "GB" and "opel" not in text.low:
        make = "Vauxhall"  # Opel's name there
    reading = Reading(
        make=make,
        model=car.model if car else None,
        year=year,
        mileage_km=mileage[0] if mileage else None,
        price=price.amount if price else None,
        currency=price.currency if price else None,
        city=place.city.name if place else None,
        phones=[phone.number for phone in phones],
        telegram=find_handle(text),
    )
    return text, cars, reading


def extract(raw: str) -> dict[str, object]:
    """Return the facts in the form of the schema `car_data`."""
    return asdict(read(raw)[2])

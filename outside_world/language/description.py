"""Description of a car: a short text from its data and the seller's post, in the post's language."""

import re
from collections.abc import Mapping
from typing import Any

from outside_world.language.extraction import read

# The seller's words -> our words, in Russian and in English.
_REMARKS = [
    (r"(?:один|1) (?:хозяин|владелец|собственник)|(?:one|1|single) owner", "один владелец", "one owner"),
    (r"не ?бит|без дтп|no accidents?|accident.free", "без аварий, со слов продавца", "no accidents, says the seller"),
    (r"автомат|акпп|automatic|auto\b|вариатор|cvt", "автоматическая коробка", "automatic"),
    (r"механик|мкпп|manual|stick", "механическая коробка", "manual"),
    (r"полный привод|4wd|awd|4x4|quattro|xdrive|4matic", "полный привод", "all-wheel drive"),
    (r"дизель|diesel|\btdi\b|\bcrdi\b|\bdci\b", "дизель", "diesel"),
    (r"гибрид|hybrid", "гибрид", "hybrid"),
    (r"электромоб|electric|\bev\b", "электромобиль", "electric"),
    (r"торг|obo\b|ono\b|negotiable", "возможен торг", "price negotiable"),
    (r"обмен|swap|trade", "возможен обмен", "exchange considered"),
    (r"сервисн\w+ книж|service history|\bfsh\b", "есть сервисная история", "service history"),
]
MOST_REMARKS = 4


def describe(car: Mapping[str, Any], post: str) -> str:
    """Return up to three sentences. They say only what the car's data and the post say."""
    text, _, _ = read(post)
    russian = text.is_cyrillic
    name = " ".join(str(car[key]) for key in ("make", "model") if car.get(key))
    facts = [name or ("Автомобиль" if russian else "A car")]
    if car.get("year"):
        facts.append(f"{car['year']} года" if russian else f"built in {car['year']}")
    if car.get("mileage_km") is not None:
        run = _grouped(car["mileage_km"])
        facts.append(f"пробег {run} км" if russian else f"{run} km on the clock")
    remarks = [ru if russian else en for pattern, ru, en in _REMARKS if re.search(pattern, text.low)]
    sentences = [", ".join(facts), ", ".join(remarks[:MOST_REMARKS]).capitalize(), _price_and_place(car, russian)]
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def _price_and_place(car: Mapping[str, Any], russian: bool) -> str:
    price = ""
    if car.get("price") is not None:
        price = f"{'Цена' if russian else 'Asking'} {_grouped(car['price'])} {car.get('currency') or ''}".strip()
    return ", ".join(filter(None, (price, car.get("city"))))


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")

"""Writes a short description of a car from its data and the seller's post, in the post's language."""

import re
from collections.abc import Mapping
from typing import Any

from outside_world.language.extraction import read

# What a seller says -> how we say it, in Russian and English.
_REMARKS: list[tuple[str, str, str]] = [
    (r"один (?:хозяин|владелец|собственник)|1 (?:хозяин|владелец|собственник)|one owner|1 owner|single owner", "один владелец", "one owner"),
    (r"не бит|небит|без дтп|no accidents?|accident.free|never (?:hit|crashed)", "без аварий, со слов продавца", "no accidents, says the seller"),
    (r"автомат|акпп|automatic|auto\b|вариатор|cvt", "автоматическая коробка", "automatic"),
    (r"механик|мкпп|manual|stick", "механическая коробка", "manual"),
    (r"полный привод|4wd|awd|4x4|quattro|xdrive|4matic", "полный привод", "all-wheel drive"),
    (r"дизель|diesel|\btdi\b|\bcrdi\b|\bdci\b", "дизель", "diesel"),
    (r"гибрид|hybrid", "гибрид", "hybrid"),
    (r"электромоб|electric|\bev\b", "электромобиль", "electric"),
    (r"торг", "возможен торг", "price negotiable"),
    (r"обмен|swap|trade", "возможен обмен", "exchange considered"),
    (r"сервисн\w+ книж|full service history|\bfsh\b|service history", "есть сервисная история", "service history"),
]  # fmt: skip


def describe(car: Mapping[str, Any], post: str) -> str:
    """Two or three sentences; only what the car's data and the post say."""
    text, _, _ = read(post)
    russian = text.is_cyrillic
    name = " ".join(str(car[key]) for key in ("make", "model") if car.get(key)) or ("Автомобиль" if russian else "A car")
    facts = []
    if car.get("year"):
        facts.append(f"{car['year']} года" if russian else f"built in {car['year']}")
    if car.get("mileage_km") is not None:
        run = f"{car['mileage_km']:,}".replace(",", " ")
        facts.append(f"пробег {run} км" if russian else f"{run} km on the clock")
    first = ", ".join([name, *facts]) + "."
    sentences = [first]
    remarks = [ru if russian else en for pattern, ru, en in _REMARKS if re.search(pattern, text.low)][:4]
    if remarks:
        sentences.append((", ".join(remarks) + ".").capitalize())
    if car.get("price") is not None:
        amount = f"{car['price']:,}".replace(",", " ") + (f" {car['currency']}" if car.get("currency") else "")
        where = f", {car['city']}" if car.get("city") else ""
        sentences.append(f"Цена {amount}{where}." if russian else f"Asking {amount}{where}.")
    elif car.get("city"):
        sentences.append(f"{car['city']}.")
    return " ".join(sentences)

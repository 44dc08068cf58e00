"""Reads Telegram posts about cars by rules and gazetteers: is it a sale, what is offered, how to describe it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    is_sale: bool
    reason: str


def classify(text: str) -> Verdict:
    return Verdict("прода" in text.lower() or "sale" in text.lower(), "stub")


def extract(text: str) -> dict[str, Any]:
    return {"make": None, "model": None, "year": None, "mileage_km": None, "price": None, "currency": None,
            "city": None, "phones": [], "telegram": None}


def describe(car: dict[str, Any], text: str) -> str:
    return "A car."

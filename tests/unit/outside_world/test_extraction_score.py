"""The score of the outside world's rules on posts for which they were not written: the sample posts of data/."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cars_bot.boundary.posts import _text
from outside_world.language import classify, extract

DATA = Path(__file__).resolve().parents[3] / "data"
FIELDS = ("make", "model", "year", "mileage_km", "price", "currency", "city", "phones", "telegram")


@pytest.fixture(scope="module")
def posts() -> dict[int, str]:
    messages = json.loads((DATA / "result.json").read_text())["messages"]
    return {each["id"]: _text(each["text"], each["id"]) for each in messages if each["type"] == "message"}


@pytest.fixture(scope="module")
def expected() -> list[dict[str, Any]]:
    return json.loads((DATA / "expected.json").read_text())


def test_at_least_97_of_100_posts_are_classified_rightly(posts: dict[int, str], expected: list[dict[str, Any]]) -> None:
    wrong = [answer["id"] for answer in expected if classify(posts[answer["id"]]).is_sale != answer["is_sale"]]
    assert len(wrong) <= 0.03 * len(expected), f"wrong: {wrong}"


def test_at_least_93_of_100_values_of_each_field_are_right(
    posts: dict[int, str], expected: list[dict[str, Any]]
) -> None:
    sales = [answer for answer in expected if answer["is_sale"]]
    wrong: Counter[str] = Counter()
    for answer in sales:
        read = extract(posts[answer["id"]])
        wrong.update(field for field in FIELDS if _fold(read[field]) != _fold(answer[field]))
    too_bad = {field: count for field, count in wrong.items() if count > 0.07 * len(sales)}
    assert not too_bad, f"wrong values of {len(sales)} posts: {too_bad}"


def _fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value

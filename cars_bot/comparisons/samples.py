"""Sample posts: the posts of data/result.json that offer a car and name all that a publication needs."""

import json
from pathlib import Path

from cars_bot.boundary.posts import import_export

FOLDER = Path(__file__).resolve().parents[2] / "data"
NEEDED = ("make", "model", "year", "mileage_km", "price", "currency", "city")


def sale_posts() -> list[int]:
    """Import the sample export, and return our ids of its posts that fit. A second import changes nothing.

    Raises:
        InvalidArguments: the sample export is not there.
        StorageUnavailable: the database does not answer.
    """
    imported = import_export(FOLDER / "result.json").post_ids
    expected = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    sales = {answer["id"] for answer in expected if None not in [answer[name] for name in NEEDED]}
    return [post for (_, message), post in imported.items() if message in sales]

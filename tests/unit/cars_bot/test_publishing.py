"""The text of a publication."""

from cars_bot.jobs.publishing import format_post

NOTHING = dict.fromkeys(["make", "model", "year", "mileage_km", "price", "currency", "city"])


def test_a_publication_says_what_is_known() -> None:
    car = {"make": "Kia", "model": "Rio", "year": 2017, "mileage_km": 98000, "price": 890000, "currency": "RUB", "city": "Kazan"}  # fmt: skip  # noqa: E501

    assert format_post(7, car, "Well kept.").splitlines() == [
        "🚗 Kia Rio, 2017", "💰 890 000 ₽", "🛣 98 000 km", "📍 Kazan", "", "Well kept.", "", "№ 7",
    ]  # fmt: skip


def test_what_is_not_known_is_left_out() -> None:
    assert format_post(7, NOTHING, "A car.").splitlines() == ["🚗 Car for sale", "", "A car.", "", "№ 7"]


def test_a_currency_without_a_sign_keeps_its_code() -> None:
    assert "💰 5 000 AED" in format_post(1, NOTHING | {"price": 5000, "currency": "AED"}, "x")

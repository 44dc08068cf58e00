"""Figures of a comparison as a person reads them: the same text on the page and in the terminal."""

import pytest

from cars_bot.comparisons.for_people.card import Kind, difference_text, text


@pytest.mark.parametrize(
    ("value", "kind", "shown", "as_difference"),
    [
        (None, "seconds", "–", "–"),
        (0.2021, "seconds", "202 ms", "+202 ms"),
        (-1.674, "seconds", "0 ms", "−1.67 s"),
        (0.0004, "seconds", "0 ms", "0"),
        (-0.0004, "rate", "-0.00", "0"),
        (1.05, "rate", "1.05", "+1.05"),
        (570.66, "rate", "570.7", "+570.7"),
        (648.4, "bytes", "648 B", "+648 B"),
        (-511, "bytes", "-511 B", "−511 B"),
        (217_400_000, "megabytes", "217 MB", "+217 MB"),
        (-400_000, "megabytes", "-0 MB", "0"),
        (40, "count", "40", "+40"),
        (0, "count", "0", "0"),
    ],
)
def test_a_figure_is_read_with_its_unit_and_a_difference_with_its_sign(
    value: float | None, kind: Kind, shown: str, as_difference: str
) -> None:
    assert (text(value, kind), difference_text(value, kind)) == (shown, as_difference)

"""Which country a post is from, when it names no city there: currencies, words, phones, letters, language."""

import re

from outside_world.language.phrases import any_of, sections
from outside_world.language.text import Text

_WORDS = [(country, re.compile(any_of("countries", country))) for country in sections("countries")]
# Letters that only the neighbours' alphabets have.
_LETTERS = {"KZ": "әғқңөұүһӘҒҚҢӨҰҮҺ", "UA": "іїєґІЇЄҐ", "BY": "ўЎ"}


def country_by_words(text: Text) -> str | None:
    """The country that a currency or a word tells."""
    return next((country for country, pattern in _WORDS if pattern.search(text.low)), None)


def country_by_language(raw: str, text: Text) -> str | None:
    """The country that the letters suggest, as the last resort."""
    for country, letters in _LETTERS.items():
        if sum(raw.count(letter) for letter in letters) >= 2:
            return country
    if text.is_cyrillic:
        return "RU"
    return "US" if "$" in text.low else None

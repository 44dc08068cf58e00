"""Country of a post that names no city: told by a currency, a word, the letters or the language."""

import re

from outside_world.language.words.phrases import any_of, sections
from outside_world.language.words.text import Text

_WORDS = [(country, re.compile(any_of("countries", country))) for country in sections("countries")]
# Letters that exist only in the neighbours' alphabets.
_LETTERS = {"KZ": "әғқңөұүһӘҒҚҢӨҰҮҺ", "UA": "іїєґІЇЄҐ", "BY": "ўЎ"}


def country_by_words(text: Text) -> str | None:
    """Return the country that a currency or a word tells."""
    return next((country for country, pattern in _WORDS if pattern.search(text.low)), None)


def country_by_language(raw: str, text: Text) -> str | None:
    """Return the country that the letters or a dollar sign suggest. This is the last resort."""
    for country, letters in _LETTERS.items():
        if sum(raw.count(letter) for letter in letters) >= 2:
            return country
    if text.is_cyrillic:
        return "RU"
    return "US" if "$" in text.low else None

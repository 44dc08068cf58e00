"""Reader of Telegram posts about cars. It works with rules and with lists of names, and stands in for a language model.

It answers the model's questions: is a car on offer, what does the post say about it, how to describe it. It reads
Russian and English, and the neighbours' languages as far as their words are alike. `data/` holds the names of cars and
cities, and the phrases around figures.
"""

from outside_world.language.classification import Verdict, classify
from outside_world.language.description import describe
from outside_world.language.extraction import extract

__all__ = ["Verdict", "classify", "describe", "extract", "prepare"]


def prepare() -> None:
    """Load the lists of names now. Otherwise the first post would wait half a second for them."""
    classify("Продам Mitsubisi, г. Казань, 8 912 345 67 89")

"""Reads Telegram posts about cars by rules and gazetteers: is one on offer, what does the post say, how to describe it.

It stands in for a language model and answers the same questions; it reads Russian and English, and the neighbours'
languages as far as their words are alike. `data/` holds the names of cars and cities.
"""

from outside_world.language.classification import Verdict, classify
from outside_world.language.description import describe
from outside_world.language.extraction import extract

__all__ = ["Verdict", "classify", "describe", "extract", "prepare"]


def prepare() -> None:
    """Load the gazetteers now rather than at the first post, which would wait for half a second."""
    classify("Продам Mitsubisi, г. Казань, 8 912 345 67 89")

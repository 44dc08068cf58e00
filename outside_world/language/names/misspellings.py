"""Misspellings: names of cars with one typing error, such as `Mitsubisi`, `Hyndai`, "Шевролле". Only long names."""

from functools import cache

from outside_world.language.names.gazetteer import CarName, cars
from outside_world.language.words.folding import fold

SHORTEST = 6  # letters of the key; too many shorter words differ in one letter only


def almost(word: str) -> CarName | None:
    """Return the car name that is one slip away from `word`, if there is exactly one."""
    key = fold(word)
    if len(key) < SHORTEST or key.isdigit():
        return None
    ending = 2 if word.isascii() else 3  # Russian endings are grammar, not slips
    names = {
        name
        for other in _similar(key)
        if other[0] == key[0] and other[-ending:] == key[-ending:] and one_slip(other, key)
        for name in cars().names[other]
        if not name.weak
    }
    return names.pop() if len(names) == 1 else None


def one_slip(first: str, second: str) -> bool:
    """True if one word becomes the other by one slip: a letter added, left out, changed, or swapped with the next."""
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    rest, other_rest = first[start:], second[start:]
    if len(first) != len(second):
        short, long = sorted((rest, other_rest), key=len)
        return short == long[1:]
    swapped = rest[:2] == other_rest[:2][::-1] and rest[2:] == other_rest[2:]
    return rest[1:] == other_rest[1:] or swapped


def _similar(key: str) -> set[str]:
    similar = set(_by_deletion().get(key, ()))
    for shorter in _deletions(key):
        if shorter in cars().names and len(shorter) >= SHORTEST:
            similar.add(shorter)
        similar |= _by_deletion().get(shorter, set())
    return similar


@cache
def _by_deletion() -> dict[str, set[str]]:
    """Return every long name without one of its letters -> the keys of the names that it came from."""
    found: dict[str, set[str]] = {}
    for key, names in cars().names.items():
        if len(key) >= SHORTEST and key.isalpha() and key.isascii() and not all(name.weak for name in names):
            for shorter in _deletions(key):
                found.setdefault(shorter, set()).add(key)
    return found


def _deletions(key: str) -> list[str]:
    return [key[:index] + key[index + 1 :] for index in range(len(key))]

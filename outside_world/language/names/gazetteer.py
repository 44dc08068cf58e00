"""Gazetteer: the known names of cars and cities, from the data files, by folded key. It matches nothing itself."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from outside_world.language.words.folding import decline, fold, transliterate
from outside_world.language.words.text import normalise

CYRILLIC = "~"  # first in a key for Cyrillic words only: "белту" is a form of Белта, "belt" is not
DATA = Path(__file__).parent.parent / "data"


@dataclass(frozen=True)
class CarName:
    """A make (`model` is None) or a model of it. `weak`: also an ordinary word.

    `numeric`: only a number, or very short. `shared`: better known as another make's model.
    """

    make: str
    model: str | None
    weak: bool = False
    numeric: bool = False
    shared: bool = False


@dataclass(frozen=True)
class Designation:
    """A pattern for models such as `320i` or `GLE350d`. It matches Latin letters and digits without spaces."""

    make: str
    pattern: re.Pattern[str]
    weak: bool


@dataclass(frozen=True)
class City:
    """A city's English name and its country's code. `weak`: also an ordinary word or a first name."""

    name: str
    country: str
    weak: bool = False


@dataclass
class Cars:
    """All names of the file, by folded key. Several makes may share a key."""

    names: dict[str, list[CarName]] = field(default_factory=lambda: defaultdict(list))
    designations: list[Designation] = field(default_factory=list)
    weak_makes: set[str] = field(default_factory=set)
    makes: list[str] = field(default_factory=list)
    several_words: set[str] = field(default_factory=set)
    one_word: set[str] = field(default_factory=set)  # keys that no name of several words has


def _lines(name: str) -> Iterator[str]:
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("# "):
            yield line.strip()


def _keys(name: str) -> set[str]:
    """Return all folded keys of one name. The case forms of a Russian name have the mark for Cyrillic."""
    low = normalise(name).lower()
    forms = decline(low) if re.search(r"[а-я]{3}", low) else {low}
    return {fold(low)} | {CYRILLIC + key for key in map(fold, forms) if key} - {""}


@cache
def cars() -> Cars:
    """Return the makes and models of cars.txt."""
    ordinary = {word.strip() for line in _lines("ordinary_words.txt") for word in line.split(",")}
    found = Cars()
    make = ""
    for line in _lines("cars.txt"):
        heading = re.fullmatch(r"\[(\?)?(.+?)\]\s*(.*)", line)
        pattern = re.fullmatch(r"(\?)?/(.+)/", line)
        if heading:
            make = heading[2]
            found.makes.append(make)
            if heading[1]:
                found.weak_makes.add(make)
            _add(found, CarName(make, None, bool(heading[1])), [make, *heading[3].split(",")])
        elif pattern:
            expression = re.compile(pattern[2].replace(r"\s?", ""))
            found.designations.append(Designation(make, expression, bool(pattern[1])))
        else:
            model, _, aliases = line.lstrip("?~").partition("=")
            model = model.strip()
            short = len(fold(model.lower())) < 3 or (model.isdigit() and len(model) < 4)
            weak = line.startswith("?") or model in ordinary or short or (len(model) <= 3 and model.isalpha())
            numeric = short or model.replace("-", "").isdigit()
            _add(found, CarName(make, model, weak, numeric, line.startswith("~")), [model, *aliases.split(",")])
    found.one_word -= found.several_words
    return found


def _add(found: Cars, name: CarName, spellings: list[str]) -> None:
    for spelling in filter(None, map(str.strip, spellings)):
        words = spelling.split()  # a name of two words is no ordinary word: "ford ka"
        plain = len(words) > 1 and any(len(word) > 3 for word in words)
        one_word = spelling.isalpha()
        for key in _keys(spelling):
            (found.one_word if one_word else found.several_words).add(key)
            bare = key.strip(CYRILLIC).isdigit() and len(key) < 4
            entry = replace(name, weak=(name.weak and not plain) or bare, numeric=(name.numeric and not plain) or bare)
            if entry not in found.names[key]:
                found.names[key].append(entry)


@cache
def cities() -> dict[str, City]:
    """Return lower-case name in any form -> city. The first city of a name has it; the file goes from near to far."""
    found: dict[str, City] = {}
    country = ""
    for line in _lines("cities.txt"):
        if line.startswith("["):
            country = line.strip("[]")
            continue
        names, _, aliases = line.lstrip("?").partition(":")
        local, _, english = (part.strip() for part in names.partition(">"))
        local_name = re.sub(r" [A-Z]{2}$", "", local)
        english = english or (transliterate(local) if re.match("[А-ЯЁ]", local) else local_name)
        adjective = re.fullmatch(r"[А-ЯЁ][а-яё]+(?:ый|ий|ой|ое|ая)", local) is not None
        city = City(english, country, line.startswith("?") or adjective)
        spellings = [local, *([english] if local_name == local else []), *aliases.split(",")]
        for spelling in filter(None, map(str.strip, spellings)):
            low = normalise(spelling.lstrip("?")).lower()
            known_as = replace(city, weak=True) if spelling.startswith("?") else city
            for form in decline(low) if re.search(r"[а-я]{3}", low) else {low}:
                found.setdefault(re.sub(r"[\s.-]+", " ", form).strip(), known_as)
    return found

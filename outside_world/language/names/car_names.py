"""Candidates: words of a post that may be the name of a car. `cars.py` decides which of them are one."""

import re
from dataclasses import dataclass, replace

from outside_world.language.names.gazetteer import CYRILLIC, CarName, Designation, cars
from outside_world.language.names.misspellings import almost
from outside_world.language.words.folding import fold
from outside_world.language.words.text import Text, Token

LONGEST_NAME = 5  # tokens
LONGEST_CODE = 3
_GAP = re.compile(r"[ \-.'&/+(\"]{0,2}")
_LINK = r"https?://\S+|\bt\.me/\S+|[\w.+-]{0,64}@[\w.-]{1,64}"
_VIN = r"\b(?=\w*\d\w*\d)(?=\w*[a-z])[a-z0-9]{11,17}\b"
_TYRE = r"\br\s?1[3-9]\b|\br2[0-4]\b"
_PENNIES = r"\bкопе(?:йки|ек|йками)\b"  # "за копейки" means cheap, not a Lada 2101
_ELSEWHERE = re.compile(f"{_LINK}|{_VIN}|{_TYRE}|{_PENNIES}")
# Letters of a code -> Latin letters of the same look or sound: "с180" is C180, "520д" is 520d.
_CODE = str.maketrans("авекмнорстухдилгфбяпцз", "abekmhopctyxdilgfbapcz")
_READ_OUT_AS = {"рх": "rx", "нх": "nx", "ес": "es", "гс": "gs", "ис": "is"}  # by their sound
_READ_OUT = re.compile(rf"^(?:{'|'.join(_READ_OUT_AS)})(?=\d)")
_SPOKEN = (("икс", "x"), ("кью", "q"), ("ку", "q"), ("эс", "s"), ("эм", "m"))


@dataclass(frozen=True)
class Candidate:
    """A place in the text, and the makes and models that it may name."""

    start: int
    end: int
    names: tuple[CarName, ...]

    @property
    def makes(self) -> list[CarName]:
        """The makes among the names."""
        return [name for name in self.names if name.model is None]

    @property
    def models(self) -> list[tuple[CarName, str]]:
        """The models among the names, each with its text."""
        return [(name, name.model) for name in self.names if name.model is not None]

    @property
    def is_strong(self) -> bool:
        """True if it means a car without more evidence."""
        return any(not name.weak for name in self.names)


def find_candidates(text: Text) -> list[Candidate]:
    """Return the longest name at each place, in order. Links, VINs and tyres are left out."""
    found = []
    elsewhere = [match.span() for match in _ELSEWHERE.finditer(text.low)]
    index = 0
    while index < len(text.tokens):
        candidate, used = candidate_at(text, index)
        if candidate and not any(start <= candidate.start < end for start, end in elsewhere):
            found.append(candidate)
        index += used
    return found


def find_misspelt(text: Text) -> list[Candidate]:
    """Return the words that are one slip away from a name."""
    return [
        Candidate(token.start, token.end, (name,)) for token in text.tokens if (name := almost(token.word)) is not None
    ]


def candidate_at(text: Text, index: int) -> tuple[Candidate | None, int]:
    """Return the longest name that begins with the token at `index`, and its number of tokens."""
    for end in range(_last_in_reach(text, index), index - 1, -1):
        part = text.tokens[index : end + 1]
        names = _names(text, part) + _codes(text, index, end)
        if names:
            return Candidate(part[0].start, part[-1].end, tuple(names)), len(part)
    return None, 1


def _last_in_reach(text: Text, index: int) -> int:
    tokens, last = text.tokens, index
    while last + 1 < len(tokens) and last - index < LONGEST_NAME - 1:
        if not _GAP.fullmatch(text.low, tokens[last].end, tokens[last + 1].start):
            break
        last += 1
    return last


def _names(text: Text, part: list[Token]) -> list[CarName]:
    """Return the names in the gazetteer for these tokens, joined."""
    joined = "".join(token.word for token in part)
    key, names = fold(joined), cars().names
    found = list(names.get(key, []))
    if not joined.isascii():
        found += [name for name in names.get(CYRILLIC + key, []) if name not in found]
    written = text.low[part[0].start : part[-1].end]
    if len(part) > 1 and found and any(name.model == written for name in found):
        return found  # "9-3", exactly as in the file
    if len(part) > 1 and found and _runs_together(text, part, key):
        return []
    return [replace(name, weak=True, numeric=True) for name in found] if _is_spread(text, part) else found


def _runs_together(text: Text, part: list[Token], key: str) -> bool:
    """True if the tokens are a name only when joined: "мерс е200" is not "мерсе", 11-11 is no Lada 1111."""
    if all(token.is_number for token in part):
        return True
    one_word = key in cars().one_word or CYRILLIC + key in cars().one_word
    return one_word and " " in text.low[part[0].start : part[-1].end]


def _is_spread(text: Text, part: list[Token]) -> bool:
    """True for a letter, a space and a short number, "а 4" or "с 60", which are rarely a model."""
    return len(part) > 1 and len(part[0].word) == 1 and len(part[-1].word) < 5 and text.low[part[0].end] in " .,("


def _codes(text: Text, first: int, last: int) -> list[CarName]:
    """Return the models, such as `E200` or `320i`, that fit a make's pattern."""
    part = text.tokens[first : last + 1]
    broken = re.search(r"\d\D+\d|[.,(]", text.low[part[0].start : part[-1].end])
    if broken or len(part) > LONGEST_CODE or _is_cut(text.tokens, first, last):
        return []
    code = latin_code("".join(token.word for token in part))
    loose = _is_spread(text, part) or (len(part) > 1 and not part[-1].is_number and len(part[-1].word) > 3)
    return [
        CarName(fitting.make, _write(code), fitting.weak or loose, fitting.weak or loose) for fitting in _fitting(code)
    ]


def _is_cut(tokens: list[Token], first: int, last: int) -> bool:
    """True if these tokens are a piece of a longer code: the "211 e" in "W211 E240"."""
    joined_before = first > 0 and tokens[first - 1].end == tokens[first].start
    joined_after = last + 1 < len(tokens) and tokens[last + 1].start == tokens[last].end
    return joined_before or joined_after


def _fitting(code: str) -> list[Designation]:
    if len(code) > 8 or (len(code) > 3 and not any(letter.isdigit() for letter in code)):
        return []
    return [designation for designation in cars().designations if designation.pattern.fullmatch(code)]


def latin_code(joined: str) -> str:
    """Return a code in Latin letters. It may be typed in either alphabet."""
    for spoken, letter in (*_SPOKEN, *_SPOKEN):  # twice: "ку икс 50" has two letters
        said = re.fullmatch(f"([a-z]?){spoken}(.*)", joined)
        joined = said[1] + letter + said[2] if said else joined
    joined = _READ_OUT.sub(lambda match: _READ_OUT_AS[match[0]], joined)
    return joined.translate(_CODE)


def _write(code: str) -> str:
    """Write a code: `e200` -> `E200`, and `320i` stays. Letters before the number become capitals."""
    match = re.fullmatch(r"([a-z]*)(\d*)([a-z]*)", code)
    if match is None:
        return code.upper()
    before, number, after = match.groups()
    return before.upper() + number + (after.upper() if after == "amg" else after)

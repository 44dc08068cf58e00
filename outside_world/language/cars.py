"""Finds the cars a post speaks of: make and model, where they stand, and which one is offered first."""

import re
from dataclasses import dataclass, replace
from functools import cache

from outside_world.language.folding import fold
from outside_world.language.gazetteer import CYRILLIC, CarName, Designation, cars
from outside_world.language.phrases import WORD_STARTS, any_of
from outside_world.language.text import Text, Token

LONGEST_NAME = 5  # tokens
NEAR = 30  # characters between a make and its model
_GAP = re.compile(r"[ \-.'&/+(\"]{0,2}")
# What stands before a car that is not the one offered: swapped for, replaced, compared with, a source of parts.
_NOT_OFFERED = re.compile(WORD_STARTS + any_of("cars", "not offered") + r"[\s:,\"(]*$")
_OFFER = re.compile(WORD_STARTS + any_of("cars", "offered") + r"[\s:!.,\"#-]*$")
_YEAR_AFTER = re.compile(r"(?: ?-?(?:\d{1,3}|[ivx]{1,3}|[a-z]\d{0,2}))?[\s,.\-(|/:;\"]{0,4}(?:['(]?(?:19[6-9]\d|20[0-3]\d)\b|'\d\d\b|\d\d ?(?:г\b|год)|[ivx]{1,3}\b.{0,3}20[0-3]\d)")
_YEAR_BEFORE = re.compile(r"(?:\b(?:19[6-9]|20[0-3])\d|'\d\d)(?: ?г\.?(?:в\.?)?| год\w*)?[\s,.:\-]{1,3}$")
_NO_CARS_IN = re.compile(  # links, handles, VINs, tyres
    r"https?://\S+|\bt\.me/\S+|\S*@\w+\S*|\b(?=\w*\d\w*\d)(?=\w*[a-z])[a-z0-9]{11,17}\b|\br\s?1[3-9]\b|\br2[0-4]\b"
)
_BODY_CODE = re.compile(r"[a-z]\d{2,3}")
_GENERAL = re.compile(r".*(?: Series|-Class)|Volga|Zaporozhets")
_NO_MODEL = set(
    ["for", "sale", "and", "the", "with", "in", "at", "of", "new", "used", "car", "cars", "auto", "full", "diesel", "petrol", "hybrid", "electric", "turbo", "manual", "automatic", "awd", "fwd", "rwd", "at", "mt", "cvt", "amt", "vin", "price", "year", "km", "gt", "sport", "sedan", "hatch", "coupe", "suv", "wagon", "van", "usd", "eur", "rub", "top", "one", "owner", "import", "usa", "tel", "city", "my", "is", "was", "on", "by", "from", "a", "an", "good", "excellent", "clean", "great", "very", "only", "mint", "dealer", "club", "motors", "zentrum", "center", "centre", "dealership", "dealers", "official", "benz", "series", "group", "service", "center", "parts"]
)


@dataclass(frozen=True)
class Mention:
    """One place where a post names a car. `model` may be missing."""

    make: str
    model: str | None
    start: int
    end: int
    parts: tuple[tuple[int, int], ...] = ()
    known: bool = True  # False: the model is not in the gazetteer


@dataclass(frozen=True)
class _Candidate:
    start: int
    end: int
    names: tuple[CarName, ...]


def find_cars(text: Text) -> list[Mention]:
    """Every car that the post may be offering, in order; cars wanted in exchange and the like are left out."""
    candidates = _candidates(text)
    makes = [c for c in candidates if any(name.model is None for name in c.names)]
    mentions: list[Mention] = []
    for candidate in candidates:
        mention = _resolve(text, candidate, makes)
        if mention is None or (mentions and _is_trim(text, candidate, mentions[-1], mention)):
            continue
        mentions.append(mention)
    mentions = _join(text, mentions)
    return [m for m in mentions if not _NOT_OFFERED.search(text.before(m.start, 40))]


def _candidates(text: Text) -> list[_Candidate]:
    """The longest name at each place, fuzzy ones only where nothing else was found at all."""
    found: list[_Candidate] = []
    elsewhere = [match.span() for match in _NO_CARS_IN.finditer(text.low)]
    index = 0
    while index < len(text.tokens):
        candidate, used = _longest_at(text, index)
        if candidate and not any(start <= candidate.start < end for start, end in elsewhere):
            found.append(candidate)
        index += used
    if not any(_is_strong(candidate) for candidate in found):
        slips = [c for token in text.tokens if (c := _misspelt(token)) is not None]
        found += [c for c in slips if c.names[0].model is None or _in_car_position(text, c) or found]
        found.sort(key=lambda c: c.start)
    return found


def _is_strong(candidate: _Candidate) -> bool:
    return any(not name.weak for name in candidate.names)


def _longest_at(text: Text, index: int) -> tuple[_Candidate | None, int]:
    tokens = text.tokens
    last = index
    while last + 1 < len(tokens) and last - index < LONGEST_NAME - 1:
        if not _GAP.fullmatch(text.low, tokens[last].end, tokens[last + 1].start):
            break
        last += 1
    for end in range(last, index - 1, -1):
        part = tokens[index : end + 1]
        joined = "".join(token.word for token in part)
        key = fold(joined)
        names = _look_up(joined)
        if names and end > index and _runs_together(text, part, key):
            continue
        spread = end > index and len(part[0].word) == 1 and text.low[part[0].end] in " .,("
        broken = re.search(r"\d\D+\d|[.,(]", text.low[part[0].start : part[-1].end])
        designated = [] if end - index >= 3 or broken or _is_cut(tokens, index, end) else _designations(joined)
        if names and not (designated and all(name.numeric for name in names)):
            if spread:  # "а 4", "с 60": a letter, a blank and a number are rarely a model
                names = [replace(name, weak=True, numeric=True) for name in names]
            return _Candidate(part[0].start, part[-1].end, tuple(names)), end - index + 1
        if designated:
            written = _write(joined)
            weak = spread or (end > index and part[-1].is_number is False and len(part[-1].word) > 3)
            coded = [CarName(d.make, written, d.weak or weak, d.weak or weak) for d in designated]
            return _Candidate(part[0].start, part[-1].end, (*coded, *names)), end - index + 1
    return None, 1


def _is_cut(tokens: list[Token], first: int, last: int) -> bool:
    """Whether these tokens are a piece torn out of a longer code: the "211 e" of "W211 E240"."""
    return (first > 0 and tokens[first - 1].end == tokens[first].start) or (
        last + 1 < len(tokens) and tokens[last + 1].start == tokens[last].end
    )


def _look_up(joined: str) -> list[CarName]:
    key, names = fold(joined), cars().names
    plain = names.get(key, [])
    return plain if joined.isascii() else [*plain, *(n for n in names.get(CYRILLIC + key, []) if n not in plain)]


def _runs_together(text: Text, part: list[Token], key: str) -> bool:
    """Tokens that only look like one name when joined: "мерс е200" is not "мерсе", 11-11 is not a Lada 1111."""
    if joined_digits := all(token.is_number for token in part):
        return joined_digits
    one_word = key in cars().one_word or CYRILLIC + key in cars().one_word
    return one_word and " " in text.low[part[0].start : part[-1].end]


def _designations(joined: str) -> list[Designation]:
    if (not any(c.isdigit() for c in joined) and len(joined) > 3) or len(joined) > 8:
        return []
    code = _code(joined)
    return [d for d in cars().designations if d.pattern.fullmatch(code)]


_CODE = str.maketrans("авекмнорстухдилгфбяпцз", "abekmhopctyxdilgfbapcz")


def _code(joined: str) -> str:
    for spoken, letter in (("икс", "x"), ("кью", "q"), ("ку", "q"), ("эс", "s"), ("эм", "m")):
        joined = joined.replace(spoken, letter, 1) if joined.startswith(spoken) else joined
    return joined.translate(_CODE)


def _write(joined: str) -> str:
    """`e200` -> `E200`, `320i` stays: the letters before the number are capitals, those after it are not."""
    match = re.fullmatch(r"([a-z]*)(\d*)([a-z]*)", _code(joined))
    if match is None:
        return joined.upper()
    tail = match[3].upper() if match[3] == "amg" else match[3]
    return match[1].upper() + match[2] + (tail if match[2] else match[3])


def _resolve(text: Text, candidate: _Candidate, makes: list[_Candidate]) -> Mention | None:
    """Choose between the cars of one name: one whose make stands nearby, else the first that needs none."""
    near = {name.make for make in makes if _is_near(text, make, candidate) for name in make.names if name.model is None}
    here = _in_car_position(text, candidate)
    here_it_is = ((candidate.start, candidate.end),)
    own = [name for name in candidate.names if name.model is None]
    for name in candidate.names:
        if name.model is not None and name.make in near:
            if name.numeric and not _right_after(text, candidate, makes, name.make):
                continue
            return Mention(name.make, name.model, candidate.start, candidate.end, here_it_is)
    for name in own:
        if not name.weak or here:
            return Mention(name.make, None, candidate.start, candidate.end, here_it_is)
    for name in candidate.names:
        if name.model is not None and not name.shared and (not name.weak or (here and not name.numeric)):
            return Mention(name.make, name.model, candidate.start, candidate.end, here_it_is)
    if own:  # a weak make: with a model of its own beside it
        for other in _candidates_after(text, candidate.end):
            if any(name.make == own[0].make and name.model for name in other.names):
                return Mention(own[0].make, None, candidate.start, candidate.end, here_it_is)
    return None


def _is_trim(text: Text, candidate: _Candidate, previous: Mention, mention: Mention) -> bool:
    """"Pajero 3.5 V6 GLS": after a car, a word that may be another car's name usually is not."""
    if _is_strong(candidate) or mention.make == previous.make:
        return False
    before = text.before(candidate.start, 30)
    return before.strip() != "" and re.search(r"(?:\bи|\band|&|\+|[;2)]|также|продаю|продам|selling)\s*$", before) is None


def _candidates_after(text: Text, position: int) -> list[_Candidate]:
    index = next((i for i, token in enumerate(text.tokens) if token.start >= position), None)
    if index is None or text.tokens[index].start - position > 3:
        return []
    candidate, _ = _longest_at(text, index)
    return [candidate] if candidate else []


def _is_near(text: Text, make: _Candidate, candidate: _Candidate) -> bool:
    if make.start == candidate.start:
        return False
    first, second = sorted((make, candidate), key=lambda c: c.start)
    between = text.low[first.end : second.start]
    return len(between) <= NEAR and between.count("\n") <= 1 and not re.search(r"[!?;]|\.\s", between)


def _right_after(text: Text, candidate: _Candidate, makes: list[_Candidate], make: str) -> bool:
    """A bare number is a model only directly after its make (or "make, model: number")."""
    for other in makes:
        if other.end <= candidate.start and any(name.make == make and name.model is None for name in other.names):
            between = text.low[other.end : candidate.start]
            if re.fullmatch(r"[\s\-.,\"()]{0,3}(?:модель|model|мод\.)?[\s:\"]{0,2}", between):
                return True
            if len(between) <= NEAR and not re.search(r"\d|\n|цен|за\b", between):
                following = text.after(candidate.end, 12)
                if re.match(r"[\s,]{0,2}(?:\(|(?:19|20)\d\d|$|[ivx]+\b|i\b|седан|хэтч|[a-z])", following):
                    return True
    return False


def _in_car_position(text: Text, candidate: _Candidate) -> bool:
    before, after = text.before(candidate.start, 30), text.after(candidate.end, 14)
    if _YEAR_AFTER.match(after) or _YEAR_BEFORE.search(before) or _OFFER.search(before):
        return True
    return False


def _join(text: Text, mentions: list[Mention]) -> list[Mention]:
    """A make and its model beside it are one mention; a make alone may have a model the file does not know."""
    joined: list[Mention] = []
    for mention in mentions:
        previous = joined[-1] if joined else None
        if previous and _same_car(text, previous, mention):
            joined[-1] = Mention(
                previous.make if previous.model is None and mention.model is None else (mention.make if mention.model else previous.make),
                _better(previous.model, mention.model), previous.start, mention.end, previous.parts + mention.parts,
            )  # fmt: skip
        else:
            joined.append(mention)
    return [m if m.model else _with_unknown_model(text, m) for m in joined]


def _same_car(text: Text, first: Mention, second: Mention) -> bool:
    between = text.low[first.end : second.start]
    if first.model and _GENERAL.fullmatch(first.model):
        between = re.sub(r"\b[a-z]\d{2,3}\b", "", between)  # a body's code: "5 Series E39 525i"
    if first.make != second.make or len(between) > NEAR or ("\n" in between and first.model and second.model):
        return False
    return not re.search(r"[!?;]|\.\s|\d\d|\bи\b|\bили\b|\band\b|\bor\b", between) or not (first.model and second.model)


def _better(first: str | None, second: str | None) -> str | None:
    """Of two names of one model the telling one: `E200` rather than `E-Class`, `530d` rather than `5 Series`."""
    if first is None or second is None:
        return first or second
    if _GENERAL.fullmatch(first) and not _GENERAL.fullmatch(second):
        return second
    return first


def _with_unknown_model(text: Text, mention: Mention) -> Mention:
    """Take the Latin word after the make as its model when the gazetteer does not know it."""
    match = re.match(r"[ \-]{1,2}(?:[a-z-]+ )?([A-Z][A-Za-z]*[\w-]*|\d{0,3}[A-Z]{1,3}\d{0,4})\b", text.norm[mention.end : mention.end + 24])
    if match is None or match[1].lower() in _NO_MODEL or _BODY_CODE.fullmatch(match[1].lower()) or re.fullmatch(r"(19|20)\d\d", match[1]):
        return _misspelt_model(text, mention)
    known = _misspelt_model(text, mention)
    if known.model:
        return known
    end = mention.end + match.end(1)
    return Mention(mention.make, match[1], mention.start, end, ((mention.start, end),), known=False)


def _misspelt_model(text: Text, mention: Mention) -> Mention:
    for token in text.tokens:
        if mention.end <= token.start <= mention.end + 12:
            candidate = _misspelt(token)
            for name in candidate.names if candidate else ():
                if name.make == mention.make and name.model:
                    return Mention(name.make, name.model, mention.start, token.end, ((mention.start, token.end),))
    return mention


@cache
def _deletions() -> dict[str, set[str]]:
    """Every long name with one letter left out -> the names' keys: finds spellings one edit away."""
    found: dict[str, set[str]] = {}
    for key, names in cars().names.items():
        if len(key) >= 6 and key.isalpha() and key.isascii() and any(not name.weak for name in names):
            for index in range(len(key)):
                found.setdefault(key[:index] + key[index + 1 :], set()).add(key)
    return found


def _one_edit(first: str, second: str) -> bool:
    """Whether one letter put in, left out, changed, or swapped with the next turns one into the other."""
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    if len(first) != len(second):
        short, long = sorted((first, second), key=len)
        return short[start:] == long[start + 1 :]
    swapped = first[start : start + 2] == second[start : start + 2][::-1] and first[start + 2 :] == second[start + 2 :]
    return first[start + 1 :] == second[start + 1 :] or swapped


def _misspelt(token: Token) -> _Candidate | None:
    key = fold(token.word)
    if len(key) < 6 or token.is_number:
        return None
    near = set(_deletions().get(key, ()))
    for index in range(len(key)):
        shorter = key[:index] + key[index + 1 :]
        if shorter in cars().names and len(shorter) >= 6:
            near.add(shorter)
        near |= {other for other in _deletions().get(shorter, ()) if len(other) == len(key)}
    keep = 2 if token.word.isascii() else 3  # Russian endings are grammar, not slips
    near = {other for other in near if other[0] == key[0] and _one_edit(other, key) and other[-keep:] == key[-keep:]}
    names = {name for other in near for name in cars().names[other] if not name.weak}
    return _Candidate(token.start, token.end, tuple(sorted(names, key=str))) if len(names) == 1 else None

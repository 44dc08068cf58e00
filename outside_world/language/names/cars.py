"""Cars of a post: make and model, their places in the text, and which of them may be on offer."""

import re
from dataclasses import dataclass, replace

from outside_world.language.names.car_names import Candidate, candidate_at, find_candidates, find_misspelt
from outside_world.language.names.misspellings import almost
from outside_world.language.words.phrases import WORD_STARTS, any_of, any_word_of
from outside_world.language.words.text import Text

NEAR = 30  # characters between a make and its model
_YEAR = r"(?:19[6-9]|20[0-3])\d"
# Words before a car that is not on offer: swapped for, replaced, compared with, a source of parts.
_NOT_OFFERED = re.compile(WORD_STARTS + any_of("cars", "not offered") + r"[\s:,\"(]*$")
# Places where a car must stand: after "selling", before or after a year.
_OFFER = re.compile(WORD_STARTS + any_of("cars", "offered") + r"[\s:!.,\"#-]*$")
_GENERATION = r"(?: ?-?(?:\d{1,3}|[ivx]{1,3}|[a-z]\d{0,2}))?"
_YEAR_AFTER = re.compile(
    _GENERATION + r"[\s,.\-(|/:;\"]{0,4}"
    rf"(?:['(]?{_YEAR}\b|'\d\d\b|\d\d ?(?:г\b|год)|[ivx]{{1,3}}\b.{{0,3}}{_YEAR}|\d[.,]\d(?!\d))"
)  # fmt: skip
_YEAR_BEFORE = re.compile(rf"(?:\b{_YEAR}|'\d\d)(?: ?г\.?(?:в\.?)?| год\w*)?[\s,.:\-]{{1,3}}$")
_ANOTHER = re.compile(r"(?:\bи|\band|&|\+|[;2)]|также|продаю|продам|selling)\s*$")
_LISTED = re.compile(r"\s?(?:,|/|и|или|and|or|&)\s?")
_CLAUSE_ENDS = re.compile(r"[!?;]|\.\s")
_GENERAL = re.compile(r".*(?: Series|-Class)|Volga|Zaporozhets")
_FACTORY_CODE = re.compile(r"\d{4,5}")  # a van's name says more than its code: "Sobol 2752"
# A very short advert begins with the car, and has a year soon after it.
_HEADLINE = re.compile(rf"(?:[^\n!?.;]|\.(?=\d)){{0,28}}?\b{_YEAR}\b")
_BODY_CODE = re.compile(r"[a-z]\d{2,3}")
_NO_MODEL = re.compile(any_word_of("cars", "no model"))


@dataclass(frozen=True)
class Mention:
    """One place where a post names a car. `parts`: the spans of its words. `known`: the gazetteer has the model."""

    make: str
    model: str | None
    start: int
    end: int
    parts: tuple[tuple[int, int], ...] = ()
    known: bool = True


def find_cars(text: Text) -> list[Mention]:
    """Return every car that the post may offer, in order. Others, such as cars wanted in exchange, are left out."""
    candidates = find_candidates(text)
    if not any(candidate.is_strong for candidate in candidates):
        slips = [slip for slip in find_misspelt(text) if candidates or slip.makes or _stands_as_car(text, slip)]
        candidates = sorted([*candidates, *slips], key=lambda candidate: candidate.start)
    makes = [candidate for candidate in candidates if candidate.makes]
    mentions: list[Mention] = []
    for candidate in candidates:
        mention = _resolve(text, candidate, makes)
        if mention and not (mentions and _is_trim(text, candidate, mentions[-1], mention)):
            mentions.append(mention)
    return _offered(text, _join(text, mentions))


def _offered(text: Text, mentions: list[Mention]) -> list[Mention]:
    """Leave out the cars that are not on offer, and those listed with them ("for Kia, Hyundai and VW")."""
    offered: list[Mention] = []
    left_out: Mention | None = None
    for mention in mentions:
        listed = left_out and _LISTED.fullmatch(text.low, left_out.end, mention.start)
        asked_about = len(mentions) > 1 and text.low.startswith("?", mention.end)
        if listed or asked_about or _NOT_OFFERED.search(text.before(mention.start, 40)):
            left_out = mention
        else:
            offered.append(mention)
    return offered


def _resolve(text: Text, candidate: Candidate, makes: list[Candidate]) -> Mention | None:
    """Choose between the cars of one name: one with its make nearby, else the first that needs no make."""
    near = {make.make for other in makes if _is_near(text, other, candidate) for make in other.makes}
    stands_as_car = _stands_as_car(text, candidate)
    span = ((candidate.start, candidate.end),)
    for name, model in candidate.models:
        if name.make in near and (not name.numeric or _right_after(text, candidate, makes, name.make)):
            return Mention(name.make, model, candidate.start, candidate.end, span)
    for name, model in candidate.models if all(make.weak for make in candidate.makes) else ():
        if not (name.weak or name.shared):  # "Solaris" is a Hyundai, and also the name of a make
            return Mention(name.make, model, candidate.start, candidate.end, span)
    for make in candidate.makes:
        if not make.weak or stands_as_car or _is_followed_by_own_model(text, candidate):
            return Mention(make.make, None, candidate.start, candidate.end, span)
    for name, model in candidate.models:
        if not name.shared and (not name.weak or (stands_as_car and not name.numeric)):
            return Mention(name.make, model, candidate.start, candidate.end, span)
    return None


def _is_trim(text: Text, candidate: Candidate, previous: Mention, mention: Mention) -> bool:
    """True if a weak name after a car only says the trim: "Pajero 3.5 V6 GLS"."""
    if candidate.is_strong or mention.make == previous.make:
        return False
    before = text.before(candidate.start, 30)
    return before.strip() != "" and _ANOTHER.search(before) is None


def _is_followed_by_own_model(text: Text, candidate: Candidate) -> bool:
    index = next((i for i, token in enumerate(text.tokens) if token.start >= candidate.end), None)
    if index is None or text.tokens[index].start - candidate.end > 3:
        return False
    following, _ = candidate_at(text, index)
    makes = {make.make for make in candidate.makes}
    return following is not None and any(name.make in makes for name, _ in following.models)


def _is_near(text: Text, make: Candidate, candidate: Candidate) -> bool:
    if make.start == candidate.start:
        return False
    first, second = sorted((make, candidate), key=lambda each: each.start)
    between = text.low[first.end : second.start]
    return len(between) <= NEAR and between.count("\n") <= 1 and not _CLAUSE_ENDS.search(between)


def _right_after(text: Text, candidate: Candidate, makes: list[Candidate], make: str) -> bool:
    """True if a bare number is a model: it follows its make directly, or a year or a body follows it."""
    for other in makes:
        if other.end > candidate.start or all(name.make != make for name in other.makes):
            continue
        between = text.low[other.end : candidate.start]
        if re.fullmatch(r"[\s\-.,\"()]{0,3}(?:модель|model|мод\.)?[\s:\"]{0,2}", between):
            return True
        following = text.after(candidate.end, 12)
        if len(between) <= NEAR and not re.search(r"\d|\n|цен|за\b", between):
            return re.match(rf"[\s,]{{0,2}}(?:\(|{_YEAR}|$|[ivx]+\b|седан|хэтч|[a-z])", following) is not None
    return False


def _stands_as_car(text: Text, candidate: Candidate) -> bool:
    before, after = text.before(candidate.start, 30), text.after(candidate.end, 14)
    if _YEAR_AFTER.match(after) or _YEAR_BEFORE.search(before) or _OFFER.search(before):
        return True
    is_first = not text.low[: candidate.start].strip(' \n#!*;"')
    return is_first and _HEADLINE.match(text.low, candidate.end) is not None


def _join(text: Text, mentions: list[Mention]) -> list[Mention]:
    """Join a make and the model beside it. A make alone may have a model that the file does not know."""
    joined: list[Mention] = []
    for mention in mentions:
        if joined and _is_same_car(text, joined[-1], mention):
            first = joined.pop()
            model = _telling(first.model, mention.model)
            mention = Mention(mention.make, model, first.start, mention.end, first.parts + mention.parts)  # noqa: PLW2901
        joined.append(mention)
    return [mention if mention.model else _with_unlisted_model(text, mention) for mention in joined]


def _is_same_car(text: Text, first: Mention, second: Mention) -> bool:
    between = text.low[first.end : second.start]
    if first.make != second.make or len(between) > NEAR:
        return False
    if not (first.model and second.model):
        return True
    if _GENERAL.fullmatch(first.model):
        between = re.sub(r"\b[a-zа-я]\d{2,3}\b", "", between)  # the code of a body: "5 Series E39 525i"
    return not re.search(r"\n|\d\d|\b(?:и|или|and|or)\b", between) and not _CLAUSE_ENDS.search(between)


def _telling(first: str | None, second: str | None) -> str | None:
    """Return the more exact name of one model: `E200` rather than `E-Class`, `530d` rather than `5 Series`."""
    if first and second:
        if _FACTORY_CODE.fullmatch(first) and not re.search(r"\d|Samara", second):
            return second
        return second if _GENERAL.fullmatch(first) and not _GENERAL.fullmatch(second) else first
    return first or second


def _with_unlisted_model(text: Text, mention: Mention) -> Mention:
    """Add a model to a make alone: a misspelt one, or a Latin word or code that the gazetteer does not have."""
    for token in text.tokens:
        if mention.end <= token.start <= mention.end + 12:
            name = almost(token.word)
            if name and name.make == mention.make and name.model:
                return replace(mention, model=name.model, end=token.end, parts=((mention.start, token.end),))
    word = re.match(
        r"[ \-]{1,2}(?:[a-z-]+ )?([A-Z][A-Za-z]*[\w-]*|\d{0,3}[A-Z]{1,3}\d{0,4})\b", text.norm[mention.end :][:24]
    )
    if word is None or _NO_MODEL.fullmatch(word[1].lower()) or _BODY_CODE.fullmatch(word[1].lower()):
        return mention
    end = mention.end + word.end(1)
    return replace(mention, model=word[1], end=end, parts=((mention.start, end),), known=False)

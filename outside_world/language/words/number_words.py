"""Number words as digits: "полтора миллиона" -> "1500000", "сто двадцать тысяч" -> "120000"."""

import re

_RUSSIAN = {
    "один": 1, "одна": 1, "одну": 1, "два": 2, "две": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6, "семь": 7,
    "восемь": 8, "девять": 9, "десять": 10, "одиннадцать": 11, "двенадцать": 12, "тринадцать": 13, "четырнадцать": 14,
    "пятнадцать": 15, "шестнадцать": 16, "семнадцать": 17, "восемнадцать": 18, "девятнадцать": 19, "двадцать": 20,
    "тридцать": 30, "сорок": 40, "пятьдесят": 50, "шестьдесят": 60, "семьдесят": 70, "восемьдесят": 80, "девяносто": 90,
    "сто": 100, "двести": 200, "триста": 300, "четыреста": 400, "пятьсот": 500, "шестьсот": 600, "семьсот": 700,
    "восемьсот": 800, "девятьсот": 900, "полтора": 1.5, "полторы": 1.5, "пол": 0.5, "полтораста": 150,
}  # fmt: skip
_ENGLISH = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_UNITS = {**_RUSSIAN, **_ENGLISH}
_SCALES = [
    (re.compile(r"тыс\w*|тыщ\w*|тис\w*|косар\w*|thousand|grand"), 1_000),
    (re.compile(r"миллион\w*|млн|лям\w*|лимон\w*|million"), 1_000_000),
]
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_SCALE = "|".join(pattern.pattern for pattern, _ in _SCALES)
_ANY = f"(?:{_UNIT}|hundred|{_SCALE})\\b"
_RUN = re.compile(rf"(?<![\w.,]) ?\b(?:{_ANY}(?:[ -](?:and )?(?={_ANY}))?)+", re.IGNORECASE)
_COUNTED = re.compile(  # figures that need no "тысяч": "пробег за двести", "прошу триста пятьдесят"
    r"\b(пробег\w*|прошла|прош[её]л|намотал\w*|прошу|цена|отдам|отдаю)"
    r"((?: (?:за|под|около|примерно|уже|чуть|более|больше))?[ :-]+)"
    rf"((?:{'|'.join(word for word, value in _RUSSIAN.items() if value >= 100)})(?: (?:{_UNIT}))*+)\b(?! (?:{_SCALE}))",
    re.IGNORECASE,
)
_JOINED_HALF = re.compile(r"\bпол(?=миллион|лям|лимон)", re.IGNORECASE)
_AFTER_DIGITS = re.compile(r"\d\s?$")


def spell_in_digits(text: str) -> str:
    """Write hundreds, thousands and millions in digits. Small numbers stay as words ("два ключа")."""
    text = _COUNTED.sub(lambda match: f"{match[1]}{match[2]}{_sum(match[3].lower().split()):.0f}", text)
    if not re.search(_SCALE, text, re.IGNORECASE):
        return text
    text = _JOINED_HALF.sub("пол ", text)
    return _RUN.sub(lambda match: _in_digits(match, text), text)


def _in_digits(match: re.Match[str], text: str) -> str:
    words = re.findall(r"[^\W\d_]+", match[0].lower())
    first_is_scale = words[0] not in _UNITS
    if len(words) == 1 and (first_is_scale or words[0] in _UNITS):
        return match[0]
    if first_is_scale and _AFTER_DIGITS.search(text[: match.start()]):  # "1 млн двести": it is in digits already
        tail = _sum(words[1:])
        return f"{match[0].split()[0]} {tail:g} тыс" if tail and _scale(words[-1]) == 1 else match[0]
    value = _sum(words)
    return f" {value:.0f} " if value >= 100 and any(_scale(word) > 1 for word in words) else match[0]


def _scale(word: str) -> int:
    return next((scale for pattern, scale in _SCALES if pattern.fullmatch(word)), 1)


def _sum(words: list[str]) -> float:
    """Add the words up: "два миллиона сто тысяч" -> 2,100,000; "миллион двести" -> 1,200,000, as people say prices."""
    total, part, after_million = 0.0, 0.0, False
    for word in words:
        scale = _scale(word)
        if word == "hundred":
            part = (part or 1) * 100
        elif scale > 1:
            total += (part or 1) * scale
            part, after_million = 0.0, scale == 1_000_000
        else:
            part += _UNITS.get(word, 0)
    if after_million and 100 <= part < 1_000:
        part *= 1_000
    return total + part

"""Numbers written in words, as digits: "полтора миллиона" -> "1.5 миллиона", "сто двадцать тысяч" -> "120 тысяч"."""

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
_WORDS = {**_RUSSIAN, **_ENGLISH}
_SCALE = r"тыс\w*|тыщ\w*|тис\w*|косар\w*|миллион\w*|млн|лям\w*|лимон\w*|thousand|grand|million"
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_BEFORE_SCALE = re.compile(rf"\b((?:(?:{_WORD})(?: hundred)?(?: and)?[ -])+)(?={_SCALE})", re.IGNORECASE)
_HUNDREDS_AFTER = re.compile(rf"((?:миллион\w*|лям\w*|лимон\w*|млн) )((?:(?:{_WORD})\b ?)+)(?!\s*(?:{_SCALE}))", re.IGNORECASE)
_JOINED_HALF = re.compile(r"\bпол(?=миллион|ляма|лимона)", re.IGNORECASE)
_BARE_SCALE = re.compile(r"(?<![\d\w.,])(?<!\d )(миллион|лям|лимон)(?= (?:\d|сто|двести|триста|четыреста|пятьсот|шестьсот|семьсот|восемьсот|девятьсот))", re.IGNORECASE)


def spell_in_digits(text: str) -> str:
    """Replace number words that count thousands or millions; other number words stay ("два ключа")."""
    if not re.search(_SCALE, text, re.IGNORECASE):
        return text
    text = _JOINED_HALF.sub("0.5 ", text)
    text = _BARE_SCALE.sub(r"1 \1", text)
    text = _HUNDREDS_AFTER.sub(lambda match: f"{match[1]}{_sum(match[2]):g} тысяч ", text)
    return _BEFORE_SCALE.sub(lambda match: f"{_sum(match[1]):g} ", text)


def _sum(words: str) -> float:
    total = 0.0
    for word in re.findall(r"[^\W\d]+", words.lower()):
        total = total * 100 if word == "hundred" else total + _WORDS.get(word, 0)
    return total

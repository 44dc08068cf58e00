"""Folding: one key for the many spellings of a name. `Camry`, `камри` and `Kamri` all fold to `kamri`.

Folding goes by sound, and is rough. The key serves to look a name up, never to write it. `decline` lists the case forms
of a Russian noun. So "в Казани" finds Казань, and "Приору" finds Приора, and no rule has to guess the stem.
"""

import re
from functools import lru_cache
from itertools import product

_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "j", "з": "z", "и": "i", "й": "i", "к": "k",
    "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h",
    "ц": "c", "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "u", "я": "a",
}  # fmt: skip
_CYRILLIC_TABLE = str.maketrans(_CYRILLIC)
_LATIN = [
    (re.compile(pattern), sound)
    for pattern, sound in [
        (r"sch", "sh"), (r"ck", "k"), (r"ph", "f"), (r"th", "t"), (r"qu", "kv"), (r"q", "k"), (r"x", "ks"), (r"w", "v"),
        (r"ou|oo", "u"), (r"ee", "i"), (r"c(?=[eiy])", "s"), (r"c(?!h)", "k"), (r"y", "i"), (r"j", "dj"),
    ]
]  # fmt: skip
_DOUBLED = re.compile(r"(?<=.)([b-df-hj-np-tv-xz])\1+")
_VOWELS = "аеиоуэюя"  # after one of these, "е" is written "ye"


_LOOKALIKE = str.maketrans("авекмнорстух", "abekmhopctyx")


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """Return the key of one lower-case word or name. Separators and doubled letters do not count.

    Codes such as `X5`, and names of up to three letters, go by the look of the letters instead. In them every letter
    matters, and people type them in either alphabet.
    """
    if sum(letter.isalpha() for letter in word) <= 3:
        return re.sub(r"[^a-z0-9+#а-я]", "", word.translate(_LOOKALIKE))
    if word.isascii():
        for pattern, sound in _LATIN:
            word = pattern.sub(sound, word)
    else:
        word = word.translate(_CYRILLIC_TABLE)
    return _DOUBLED.sub(r"\1", re.sub(r"[^a-z0-9+#]", "", word))


def decline(name: str) -> set[str]:
    """Return the case forms of a Russian name, and the name itself. The words of a longer name decline together."""
    words = re.findall(r"[а-я]+|[^а-я]+", name)
    forms = [_forms(word) if re.match(r"[а-я]{3}", word) else [word] * 6 for word in words]
    together = {"".join(case) for case in zip(*(form[:6] for form in forms), strict=True)}
    if len(words) == 1:
        together.update(forms[0])
    elif len(words) == 3:  # adjective and noun agree in case; the endings listed here may differ in order
        together.update("".join(choice) for choice in product(*map(set, forms)))
    return together | {name}


def _forms(word: str) -> list[str]:
    """Return nominative, genitive, dative, accusative, instrumental and prepositional, then variants."""
    for ending, case_endings in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            stem = word[: len(word) - len(ending)]
            return [word, *(stem + case for case in case_endings)]
    return [word] * 6


# Ending of the nominative -> endings of genitive, dative, accusative, instrumental, prepositional, and variants.
_ENDINGS: list[tuple[str, tuple[str, ...]]] = [
    ("ый", ("ого", "ому", "ый", "ым", "ом")),
    ("ой", ("ого", "ому", "ой", "ым", "ом", "оя", "ою", "оем", "ое")),
    ("ний", ("него", "нему", "ний", "ним", "нем")),
    ("ий", ("ого", "ому", "ий", "им", "ом", "ия", "ию", "ием", "ии", "ого")),
    ("ая", ("ой", "ой", "ую", "ой", "ой")),
    ("няя", ("ней", "ней", "нюю", "ней", "ней")),
    ("ое", ("ого", "ому", "ое", "ым", "ом")),
    ("ые", ("ых", "ым", "ые", "ыми", "ых")),
    ("ие", ("их", "им", "ие", "ими", "их")),
    ("ия", ("ии", "ии", "ию", "ией", "ии")),
    ("ец", ("ца", "цу", "ец", "цом", "це", "ца", "цем")),
    ("ка", ("ки", "ке", "ку", "кой", "ке", "ок", "ки")),
    ("га", ("ги", "ге", "гу", "гой", "ге", "ги")),
    ("ха", ("хи", "хе", "ху", "хой", "хе", "хи")),
    ("жа", ("жи", "же", "жу", "жей", "же")),
    ("ша", ("ши", "ше", "шу", "шей", "ше")),
    ("ча", ("чи", "че", "чу", "чей", "че")),
    ("а", ("ы", "е", "у", "ой", "е")),
    ("я", ("и", "е", "ю", "ей", "е")),
    ("ь", ("и", "и", "ь", "ью", "и", "я", "ю", "ем", "е")),
    ("й", ("я", "ю", "й", "ем", "е")),
    ("ки", ("ок", "кам", "ки", "ками", "ках")),
    ("цы", ("ец", "цам", "цы", "цами", "цах")),
    ("ы", ("", "ам", "ы", "ами", "ах", "ов")),
    ("во", ("ва", "ву", "во", "вом", "ве")),
    ("но", ("на", "ну", "но", "ном", "не")),
]  # fmt: skip
_ENDINGS += [(consonant, (f"{consonant}а", f"{consonant}у", consonant, f"{consonant}ом", f"{consonant}е",
                          f"{consonant}ы", f"{consonant}ов", f"{consonant}ым", f"{consonant}ем", f"{consonant}и"))
             for consonant in "бвгджзклмнпрстфхцчшщ"]  # fmt: skip

_LETTERS = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "yo", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
}  # fmt: skip


def transliterate(name: str) -> str:
    """Write a Russian name as English maps do: `Набережные Челны` -> `Naberezhnye Chelny`."""
    return re.sub(r"[А-Яа-яЁё]+", lambda match: _transliterate_word(match[0]), name)


def _transliterate_word(word: str) -> str:
    lower = word.lower()
    lower = re.sub(r"(?:ий|ый)$", "y", lower)
    lower = re.sub(r"(?<![а-я])е", "ye", lower)
    lower = re.sub(rf"(?<=[{_VOWELS}ьъ])е", "ye", lower)
    latin = "".join(_LETTERS.get(letter, letter) for letter in lower)
    return latin[:1].upper() + latin[1:] if word[:1].isupper() else latin

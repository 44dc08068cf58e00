"""Text of a post, normalised for rules: one alphabet per word, plain digits and spaces, emoji as words or separators.

All readers search in `Text.low`. A position in it is the same position in `Text.norm`.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

from outside_world.language.words.number_words import spell_in_digits

# Emoji that stand for a word. Every other emoji is only a separator.
EMOJI_WORDS = {
    **dict.fromkeys("💰💵💲💸💴💶💷🤑🏷", "цена:"),
    **dict.fromkeys("📞☎📱📲🤙", "тел:"),
    **dict.fromkeys("📍🏙🌍🌎🌏🗺", "город:"),
    **dict.fromkeys("🛣🧭", "пробег:"),
    **dict.fromkeys("📅🗓📆", "год:"),
    **dict.fromkeys("📌👉▶✅✔☑🔹🔸•▪👇", "\n"),
    **dict.fromkeys("➡→⇒➜⟶⬇🔻📉", "->"),
}
BLOT = "¤"
_LOOKALIKE = dict(zip("аеорсухАВЕКМНОРСТУХіІѕЅјЈ", "aeopcyxABEKMHOPCTYXiIsSjJ", strict=True))
_TO_LATIN = str.maketrans(_LOOKALIKE)
_TO_CYRILLIC = str.maketrans("aeopcyxABEKMHOPCTYX", "аеорсухАВЕКМНОРСТУХ")
# Letters of the neighbours' alphabets -> Russian letters of the same sound. So one list of words serves all of them.
_NEIGHBOURS = str.maketrans("ёЁіІїЇєЄґҐўЎәӘғҒқҚңҢөӨұҰүҮһҺ", "еЕиИиИеЕгГуУаАгГкКнНоОуУуУхХ")
_PLAIN = str.maketrans({
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2007": " ", "\t": " ", "\u200b": "", "\u200d": "", "\u2060": "",
    "\u20e3": "", "\ufeff": "", "–": "-", "—": "-", "−": "-", "‑": "-", "‐": "-", "’": "'", "‘": "'", "`": "'",
    "ʼ": "'", "“": '"', "”": '"', "«": '"', "»": '"', "„": '"', "\r": "\n", "×": "x",
})  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"[a-zа-я]+|\d+")
_MARKUP = re.compile(r"(?<![\w@/])[*_~`]{1,3}(?=\S)|(?<=\S)[*~`]{1,3}(?!\w)|(?<=[^\W_])_{1,3}(?![\w])")
# Phones typed with letters for zeros, or with a name in the middle.
_LETTER_ZEROS = re.compile(r"(?<!\w)[+78][\dOoОо() .-]{9,18}(?!\w)")
_WORD_INSIDE = re.compile(
    r"(?<!\w)((?:\+?7|8)[\d() .-]{3,14}?) ?(?:\([A-Za-zА-Яа-яЁё ]{2,15}\)|\bи\b) ?(\d[\d .-]{1,9}\d)(?!\w)"
)
_AND_MORE = re.compile(
    r"(?<=\d) с (?:лишним|небольшим|хвостиком|копейками|гаком|лихвой)(?= ?(?:т\b|тыс|к\b|км))", re.IGNORECASE
)
_LATIN_LETTERS = str.maketrans({
    "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "đ": "d", "Đ": "D", "ı": "i", "æ": "ae", "œ": "oe",
})  # fmt: skip


@dataclass(frozen=True)
class Token:
    """A run of letters or of digits."""

    start: int
    end: int
    word: str

    @property
    def is_number(self) -> bool:
        """Return whether it is a run of digits."""
        return self.word[0].isdigit()


class Text:
    """One post, normalised."""

    def __init__(self, raw: str) -> None:
        self.norm = spell_in_digits(normalise(raw))
        low = self.norm.lower()
        self.low = low if len(low) == len(self.norm) else "".join(c.lower()[:1] for c in self.norm)

    @cached_property
    def tokens(self) -> list[Token]:
        """The words and the numbers, in order."""
        return [Token(match.start(), match.end(), match[0]) for match in _TOKEN.finditer(self.low)]

    @cached_property
    def is_cyrillic(self) -> bool:
        """True if more of its letters are Cyrillic than Latin."""
        cyrillic = sum("а" <= letter <= "я" for letter in self.low)
        return cyrillic > sum("a" <= letter <= "z" for letter in self.low)

    @cached_property
    def is_lower(self) -> bool:
        """True if its author writes without capitals."""
        return sum(letter.isupper() for letter in self.norm) <= 1

    def masked(self, spans: list[tuple[int, int]]) -> "Text":
        """Return a copy with these spans blotted out, so that no reader takes them for something else."""
        copy = Text("")
        copy.norm, copy.low = blot(self.norm, spans), blot(self.low, spans)
        return copy

    def line_start(self, position: int) -> int:
        """Return the position where the line around `position` begins."""
        return self.low.rfind("\n", 0, position) + 1

    def line_end(self, position: int) -> int:
        """Return the position where the line around `position` ends."""
        end = self.low.find("\n", position)
        return len(self.low) if end < 0 else end

    def before(self, position: int, width: int) -> str:
        """Return at most `width` characters of the same line before `position`."""
        return self.low[max(self.line_start(position), position - width) : position]

    def after(self, position: int, width: int) -> str:
        """Return at most `width` characters of the same line from `position` on."""
        return self.low[position : min(self.line_end(position), position + width)]


def blot(text: str, spans: list[tuple[int, int]]) -> str:
    """Replace each character of the spans by `BLOT`."""
    for start, end in spans:
        text = text[:start] + BLOT * (end - start) + text[end:]
    return text


def normalise(raw: str) -> str:
    """Return plain text: no variation selectors, keycaps, decorative letters or digits, or words of two alphabets."""
    text = raw.translate(_PLAIN)
    text = "".join(_character(character) for character in text)
    text = _MARKUP.sub("", text)
    text = _LETTER_ZEROS.sub(_zeros, text)
    text = _WORD_INSIDE.sub(_one_phone, text)
    text = _AND_MORE.sub("", text)
    text = _WORD.sub(_one_alphabet, text)
    return re.sub(r"[ ]{2,}", " ", text.translate(_NEIGHBOURS))


def _character(character: str) -> str:
    if character < "\u0080" or "\u0370" <= character < "\u0530":  # plain Latin, Greek or Cyrillic: most characters
        return character
    if character < "\u0250":  # no rule needs accents
        bare = unicodedata.normalize("NFKD", character.translate(_LATIN_LETTERS))
        return "".join(letter for letter in bare if not unicodedata.combining(letter))
    if character in EMOJI_WORDS:
        return f" {EMOJI_WORDS[character]} "
    plain = unicodedata.normalize("NFKC", character)
    if plain != character and plain.isalnum():
        return plain
    category = unicodedata.category(character)
    if category in ("So", "Sk", "Cs", "Co", "Cn"):
        return " ; "
    return "" if category in ("Mn", "Me", "Cf") else plain


def _zeros(match: re.Match[str]) -> str:
    """Write zeros as digits, `891О 111 22 ОО` -> `8910 111 22 00`, if that makes a phone."""
    digits = re.sub(r"[^\dOoОо]", "", match[0])
    is_phone = len(digits) == 11 and sum(digit.isdigit() for digit in digits) >= 6
    return re.sub(r"[OoОо]", "0", match[0]) if is_phone else match[0]


def _one_phone(match: re.Match[str]) -> str:
    """Take the word out, `8 927 000 (Иван) 22-33` -> `8 927 000 22-33`, if both parts together make a phone."""
    return f"{match[1]} {match[2]}" if len(re.sub(r"\D", "", match[1] + match[2])) == 11 else match[0]


def _one_alphabet(match: re.Match[str]) -> str:
    """Write a word of two alphabets in one. It is a trick or a slip of the keyboard: `Тoyota`, `BMВ`, `прoдaм`."""
    word = match[0]
    cyrillic = sum("\u0400" <= letter <= "\u04ff" for letter in word)
    if cyrillic in (0, len(word)):
        return word
    latin, russian = word.translate(_TO_LATIN), word.translate(_TO_CYRILLIC)
    if latin.isascii() and cyrillic <= len(word) - cyrillic:
        return latin
    if not any(letter.isascii() for letter in russian):
        return russian
    return latin if latin.isascii() else word

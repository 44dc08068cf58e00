"""The seller's Telegram handle, and not the channel's own, a bot, an e-mail address or another network."""

import re

from outside_world.language.words.phrases import any_of
from outside_world.language.words.text import Text

LOWEST_SCORE = -1
_HANDLE = re.compile(r"(?<![\w.@/])@([a-z]\w{3,31})(?![\w.]*@)(?!\.\w)")
_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.me|telegram\.dog)/"
    r"(?!joinchat|\+|s/|c/|addstickers|share)([a-z]\w{3,31})(/\d+)?"
)
_OTHER_NETWORK = re.compile(any_of("contacts", "other network") + r"[\s:\-/.@]{0,4}$")
_CHANNEL_BEFORE = re.compile(any_of("contacts", "channel") + r"[^@\n]{0,30}$")
_CHANNEL_NAME = re.compile(any_of("contacts", "channel name"))
_SELLER_BEFORE = re.compile(any_of("contacts", "seller") + r"[^\n]{0,25}$")
_CALL_TO_JOIN = re.compile(r"подпи[сш]\w+|subscribe|\bjoin\b|канал|channel")


def find_handle(text: Text) -> str | None:
    """Return the handle with its @; None if the post names only channels, bots or other networks."""
    found = [
        (score, -match.start(1), "@" + text.norm[match.start(1) : match.end(1)])
        for pattern in (_HANDLE, _LINK)
        for match in pattern.finditer(text.low)
        if (score := _seller_score(text, match)) >= LOWEST_SCORE
    ]
    return max(found)[2] if found else None


def _seller_score(text: Text, match: re.Match[str]) -> int:
    """Return the points for the handle being the seller's and not a channel's."""
    before = text.before(match.start(), 60)
    is_message = match.re is _LINK and match[2] is not None
    if is_message or match[1].endswith("bot") or _OTHER_NETWORK.search(before):
        return -9
    line = text.low[text.line_start(match.start()) : text.line_end(match.start())]
    seller, channel = _SELLER_BEFORE.search(before), _CHANNEL_BEFORE.search(before)
    score = 3 if seller else 0
    if channel and not (seller and seller.start() > channel.start()):
        score -= 5
    if _CHANNEL_NAME.search(match[1]):
        score -= 1 if seller else 2
    if not seller and _CALL_TO_JOIN.search(line):
        score -= 4
    if not seller and re.fullmatch(r"\W*@\w+\W*", line) and _is_footer(text, match.start()):
        score -= 1
    return score


def _is_footer(text: Text, position: int) -> bool:
    """True if the line is the last one, and not the only one."""
    return text.low[text.line_end(position) :].strip() == "" and text.low[: text.line_start(position)].strip() != ""
